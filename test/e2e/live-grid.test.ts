import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page, Request } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../../edge/config/load-config.ts';
import type { ConfigInput } from '../../edge/config/schema.ts';
import { openEnrolment } from '../../edge/enrolment.ts';
import { RtspCamera } from '../../provisioning/demo/camera/rtsp-camera.ts';
import { CHROMIUM, type ConsoleBrowser, openConsoleBrowser } from '../helpers/console-browser.ts';
import { CountingProxy } from '../helpers/counting-proxy.ts';
import { DaemonProcess } from '../helpers/daemon-process.ts';
import { FACE_VIDEO_FPS, makeFaceVideo } from '../helpers/make-face-video.ts';
import { twoPeople } from '../helpers/people.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';

/** More than the six connections that a browser opens to a box over plain HTTP/1.1. */
const CAMERAS = 9;
const FPS = 1;
const NAME = 'Ottoline Quist';
const consent = { noticeVersion: 'v1', purpose: 'entry', givenAt: '2026-01-01T00:00:00.000Z', expiresAt: '2999-01-01T00:00:00.000Z' };
const PATIENCE = { timeout: 60_000 };

describe.skipIf(!existsSync(CHROMIUM))(
  "many cameras in a browser (skipped where Debian's chromium is not installed)",
  { timeout: 120_000 },
  () => {
    let folder: string;
    let cameras: RtspCamera[];
    let daemon: DaemonProcess;
    let proxy: CountingProxy;
    let opened: ConsoleBrowser;
    let page: Page;
    /** Requests that are not answered to their end. */
    const open = new Set<Request>();

    beforeAll(async () => {
      const [guest] = await twoPeople();
      const video = await makeFaceVideo(guest.toShow, 4);
      cameras = Array.from({ length: CAMERAS }, () => new RtspCamera({ video, fps: FACE_VIDEO_FPS, end: 'loop' }));
      for (const camera of cameras) await camera.start();
      folder = await mkdtemp(join(tmpdir(), 'securegate-test-'));
      const input: ConfigInput = {
        dataDir: join(folder, 'data'),
        keyDir: join(folder, 'keys'),
        api: { port: 0 },
        tenants: ['north', 'south'].map((id) => ({ id, org: 'acme' })),
        cameras: cameras.map(({ url }, index) => ({ id: `door-${index}`, tenant: index % 2 === 0 ? 'north' : 'south', url, fps: FPS })),
      };
      const file = join(folder, 'box.json');
      await writeFile(file, JSON.stringify(input));
      const enrolment = await openEnrolment(parseConfig(input), { logger: testLogger() });
      await enrolment.enrol({ tenant: 'north', name: NAME, consent, images: [guest.toEnrol] });
      await enrolment.close();
      daemon = new DaemonProcess(file);
      const { api } = await daemon.until('ready');
      proxy = new CountingProxy(api);
      const origin = await proxy.start();
      opened = await openConsoleBrowser();
      ({ page } = opened);
      page.on('request', (request) => open.add(request));
      page.on('requestfinished', (request) => open.delete(request));
      page.on('requestfailed', (request) => open.delete(request));
      await page.goto(origin);
      await page.getByLabel('Admin token').fill((await readFile(join(folder, 'keys', 'admin.token'), 'utf8')).trim());
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Live', exact: true }).waitFor();
    }, 180_000);

    afterAll(async () => {
      await opened?.browser.close();
      proxy?.stop();
      await daemon?.cleanUp();
      for (const camera of cameras) await camera.stop();
      await rm(folder, { recursive: true, force: true });
    });

    afterEach(({ task }) => opened?.shoot(`grid-${task.name}`));

    /** What each tile shows now, by the name of its camera. */
    const shown = (): Promise<Record<string, string>> =>
      page.locator('.tile').evaluateAll((tiles) =>
        Object.fromEntries(
          tiles.map((tile) => {
            const canvas = tile.querySelector('canvas');
            return [tile.getAttribute('aria-label') ?? '', tile.querySelector('.cover') === null ? (canvas?.toDataURL() ?? '') : ''];
          }),
        ),
      );
    /** Names of those tiles whose picture has changed since. */
    const moved = async (since: Readonly<Record<string, string>>): Promise<string[]> =>
      Object.entries(await shown()).flatMap(([name, picture]) => (picture !== '' && picture !== since[name] ? [name] : []));
    /** The cameras of the live streams that are open. */
    const streamed = (): (string[] | undefined)[] =>
      [...open]
        .map((request) => new URL(request.url()))
        .flatMap(({ pathname, searchParams }) => (pathname === '/v1/live' ? [searchParams.get('cameras')?.split(',')] : []));
    const openStreams = (): string[] =>
      [...open].map((request) => new URL(request.url()).pathname).filter((path) => path === '/v1/live' || path.endsWith('/stream'));

    test('all of them move at the same time', async () => {
      await expect.poll(async () => (await moved({})).length, PATIENCE).toBe(CAMERAS);
      for (let round = 0; round < 3; round += 1) {
        const before = await shown();
        await expect.poll(async () => (await moved(before)).length, PATIENCE).toBe(CAMERAS);
      }
    });

    test('two connections carry them and the sightings, and the box answers over the others', async () => {
      await expect.poll(openStreams, PATIENCE).toHaveLength(2);
      expect(openStreams().toSorted()).toEqual(['/v1/live', '/v1/sightings/stream']);
      const answers = await page.evaluate(async () => {
        const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await fetch('/v1/tenants')).status));
        return new Set(statuses).size === 1 ? statuses[0] : statuses;
      });
      expect(answers).toBe(200);
      expect(openStreams()).toHaveLength(2);
      expect(proxy.most).toBeLessThanOrEqual(6);
    });

    test('each venue names its own guest, over the same connection', async () => {
      const said = new Map<string, Set<string>>();
      const listen = async (): Promise<Map<string, Set<string>>> => {
        const labels = await page
          .getByRole('img', { name: 'Live picture' })
          .evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')));
        for (const label of labels) {
          const [, of = '', who = ''] = /^Live picture of door-(\d): (.+)$/.exec(label ?? '') ?? [];
          const venue = Number(of) % 2 === 0 ? 'north' : 'south';
          said.set(who, (said.get(who) ?? new Set()).add(`${venue} ${of}`));
        }
        return said;
      };
      await expect.poll(async () => (await listen()).get(NAME)?.size, PATIENCE).toBe(5);
      await expect
        .poll(async () => [...((await listen()).get('1 unknown') ?? [])].filter((tile) => tile.startsWith('south')), PATIENCE)
        .toHaveLength(4);
      expect([...(said.get(NAME) ?? [])].filter((tile) => tile.startsWith('south'))).toEqual([]);
    });

    test('a camera that is away says so, and holds up no other one', async () => {
      await cameras[0]?.stop();
      const away = page.getByRole('article', { name: 'door-0, north' });
      await away.getByText('Camera cannot be reached').waitFor(PATIENCE);
      const before = await shown();
      await expect.poll(async () => (await moved(before)).length, PATIENCE).toBe(CAMERAS - 1);
    });

    test('only what is on the screen is streamed', async () => {
      await page.setViewportSize({ width: 700, height: 300 });
      await expect.poll(() => streamed()[0]?.length, PATIENCE).toBeLessThan(CAMERAS);
      expect(streamed()[0]).toContain('north/door-0');
      await page.getByRole('article', { name: 'door-7, south' }).scrollIntoViewIfNeeded();
      await expect.poll(() => streamed()[0], PATIENCE).toContain('south/door-7');
      expect(streamed()).toHaveLength(1);
      expect(streamed()[0]).not.toContain('north/door-0');
      await page.setViewportSize({ width: 1280, height: 800 });
      await expect.poll(() => streamed()[0]?.length, PATIENCE).toBe(CAMERAS);
    });

    test('a page that nobody sees is sent no pictures', async () => {
      const setVisible = (state: 'hidden' | 'visible'): Promise<void> =>
        page.evaluate(`
          Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
          document.dispatchEvent(new Event('visibilitychange'));
        `);
      await setVisible('hidden');
      await expect.poll(streamed, PATIENCE).toEqual([]);
      await setVisible('visible');
      await expect.poll(() => streamed()[0]?.length, PATIENCE).toBe(CAMERAS);
    });

    test('one is shown large and small again by the keyboard, and by a click', async () => {
      const tiles = page.locator('.tile');
      await page.getByRole('link', { name: 'Show door-3 large' }).focus();
      await page.keyboard.press('Enter');
      await expect.poll(() => tiles.count(), PATIENCE).toBe(1);
      await expect.poll(streamed, PATIENCE).toEqual([['south/door-3']]);
      await expect.poll(async () => (await moved({})).length, PATIENCE).toBe(1);
      await page.keyboard.press('Escape');
      await expect.poll(() => tiles.count(), PATIENCE).toBe(CAMERAS);
      expect(await page.locator(':focus').getAttribute('aria-label')).toBe('Show door-3 large');
      await page.getByRole('article', { name: 'door-5, south' }).click();
      await expect.poll(streamed, PATIENCE).toEqual([['south/door-5']]);
    });

    test('no error was written to the console', () => {
      // The browser itself writes down every refused request: whether there is a session, and a face that was let go.
      const refused = /status of (401.*\/v1\/session|404.*\/picture)$/;
      expect(opened.complaints.filter((line) => !refused.test(line))).toEqual([]);
    });
  },
);
