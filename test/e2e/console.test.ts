import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Locator, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { projectRoot } from '../../models/registry/project-root.ts';
import { PHOTO_FACES } from '../../provisioning/demo/footage/faces.ts';
import { CAMERAS } from '../../provisioning/demo/footage/script.ts';
import { CHROMIUM, type ConsoleBrowser, openConsoleBrowser } from '../helpers/console-browser.ts';
import { samplePhotos } from '../helpers/sample-photos.ts';

/** Everybody comes by again after this time at the latest: the length of the footage, twice for a busy machine. */
const ROUND_MS = 64_000;

const root = projectRoot();

describe.skipIf(!existsSync(CHROMIUM))(
  "the console in a browser (skipped where Debian's chromium is not installed)",
  { timeout: 180_000 },
  () => {
    let folder: string;
    let demo: ChildProcessByStdio<null, Readable, null>;
    let link: URL;
    let opened: ConsoleBrowser;
    let page: Page;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'securegate-test-'));
      opened = await openConsoleBrowser();
      ({ page } = opened);
      const env = { ...process.env, TMPDIR: folder, UV_THREADPOOL_SIZE: '128' };
      demo = spawn(process.execPath, ['provisioning/main.ts', 'demo'], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], env });
      link = await printedLink(demo);
    }, 300_000);

    afterAll(async () => {
      await opened?.browser.close();
      if (demo?.exitCode === null) {
        const exit = once(demo, 'exit');
        demo.kill('SIGTERM');
        await exit;
      }
      await rm(folder, { recursive: true, force: true });
    });

    let shots = 0;
    afterEach(async ({ task }) => {
      shots += 1;
      await opened?.shoot(`${String(shots).padStart(2, '0')}-${task.name}`);
    });

    const tile = (camera: string): Locator => page.getByRole('article', { name: new RegExp(`^${camera},`) });
    const goTo = async (name: string): Promise<void> => {
      const pages = page.getByRole('navigation', { name: 'Pages' });
      await pages.getByRole('link', { name }).click();
      await pages.locator('[aria-current=page]', { hasText: name }).waitFor();
    };
    const chooseVenue = async (name: string): Promise<void> => {
      const venue = page.getByRole('radio', { name, exact: true });
      await venue.click();
      await expect.poll(() => venue.isChecked()).toBe(true);
    };

    test('a link from the terminal logs in, in a tab where the page is open already, and leaves the address', async () => {
      await page.goto(link.origin);
      await page.getByLabel('Admin token').waitFor();
      await page.goto(link.href);
      await page.getByRole('heading', { name: 'Live', exact: true }).waitFor();
      expect(page.url()).not.toContain(link.hash.slice('#link='.length));
      const [run = ''] = await readdir(folder);
      const log = await readFile(join(folder, run, 'log', 'daemon.log'), 'utf8');
      expect(log).toContain('"route":"/v1/login-links"');
      expect(log).not.toContain(link.hash.slice('#link='.length));
    });

    test('the link logs nobody in again', async () => {
      const other = await opened.browser.newPage();
      await other.goto(link.href);
      await other.getByRole('heading', { name: 'Log in to this box' }).waitFor();
      await other.getByRole('alert').waitFor();
      await other.close();
    });

    test('the tiles of all cameras move', async () => {
      for (const { id } of CAMERAS) {
        const picture = tile(id).getByRole('img', { name: 'Live picture' });
        await picture.waitFor();
        await tile(id).locator('.cover').waitFor({ state: 'detached' });
        const before = await picture.screenshot();
        // Boxes and names alone would move as well.
        expect((await sharp(before).stats()).channels[1]?.mean, id).toBeGreaterThan(50);
        await expect.poll(async () => (await picture.screenshot()).equals(before), { timeout: 20_000 }).toBe(false);
      }
    });

    test('a guest is called by name', async () => {
      await tile('harbour-door').getByRole('link', { name: 'Isaveth Quillmarrow' }).waitFor({ timeout: ROUND_MS });
    });

    test('a guest of the other venue is unknown', async () => {
      await tile('arena-gate').getByText('1 unknown').waitFor({ timeout: ROUND_MS });
    });

    test('somebody unknown is enrolled from a sighting, and called by name from then on', async () => {
      await goTo('Sightings');
      // Nobody comes by there who looks away too far to be enrolled.
      await page.getByLabel('Camera', { exact: true }).selectOption('harbour-door');
      const unknown = page.getByRole('listitem').filter({ hasText: 'Unknown' });
      await unknown.getByRole('button', { name: 'Enrol' }).first().click({ timeout: ROUND_MS });
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Name').fill('Tamsin Oakhollow');
      await dialog.getByLabel('Notice shown').fill('2026-1');
      await dialog.getByLabel('Purpose', { exact: true }).fill('Entry without ticket');
      await dialog.getByRole('checkbox').check();
      await dialog.getByRole('button', { name: 'Enrol' }).click();
      await dialog.getByText('Tamsin Oakhollow is enrolled.').waitFor();
      await opened.shoot('enrolled');
      await dialog.getByRole('button', { name: 'Done' }).click();
      await goTo('Live');
      await tile('harbour-door').getByRole('link', { name: 'Tamsin Oakhollow' }).waitFor({ timeout: ROUND_MS });
    });

    test('a profile shows the picture that was enrolled', async () => {
      await goTo('People');
      await chooseVenue('harbour-hall');
      await page.getByRole('link', { name: 'Tamsin Oakhollow' }).click();
      const profile = page.getByRole('article', { name: 'Profile of Tamsin Oakhollow' });
      await profile.getByRole('img').first().waitFor();
    });

    test('a picture finds the person at their venue, and nobody at the other one', async () => {
      await goTo('Search');
      for (const [name, answer] of [
        ['harbour-hall', 'Brannoc Tavistreel'],
        ['north-arena', 'Nobody known'],
      ] as const) {
        await chooseVenue(name);
        await page.locator('input[type=file]').setInputFiles({ name: 'face.jpg', mimeType: 'image/jpeg', buffer: await medic() });
        await page.getByRole('region', { name: 'Answer' }).getByRole('heading', { name: answer }).waitFor();
      }
    });

    test('cameras of the configuration say so; another one is tested, added and removed', async () => {
      await goTo('Cameras');
      await chooseVenue('harbour-hall');
      const door = page.getByRole('row', { name: /harbour-door/ });
      await door.getByText('in the configuration').waitFor();
      expect(await door.getByRole('button').count()).toBe(0);
      const address = await door.locator('.address').innerText();
      await page.getByRole('button', { name: 'Add a camera' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Address').fill(address);
      await dialog.getByLabel('Short name').fill('second-look');
      await dialog.getByRole('button', { name: 'Test this address' }).click();
      await dialog.getByRole('img', { name: 'What the camera shows now' }).waitFor();
      await opened.shoot('camera-test');
      await dialog.getByRole('button', { name: 'Add camera' }).click();
      await page
        .getByRole('row', { name: /second-look/ })
        .getByText('Live')
        .waitFor();
      await page.getByRole('button', { name: 'Remove second-look' }).click();
      await dialog.getByRole('button', { name: 'Remove' }).click();
      await page.getByRole('row', { name: /second-look/ }).waitFor({ state: 'detached' });
    });

    test('on a phone every page fits, and sightings say who it was', async () => {
      await page.setViewportSize({ width: 390, height: 844 });
      for (const name of ['Live', 'Sightings', 'People', 'Search', 'Cameras', 'Venues', 'System']) {
        await goTo(name);
        await page.getByRole('main').getByText('harbour-hall').first().waitFor();
        const tooWide = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
        expect(tooWide, name).toBe(0);
        if (name === 'Sightings') {
          const who = await page.getByRole('listitem').getByText('Odalie Fenwhistle').first().boundingBox();
          expect(who?.width).toBeGreaterThan(80);
        }
      }
      await page.setViewportSize({ width: 1280, height: 800 });
    });

    test('the state of the box is shown, and after logging out nothing is', async () => {
      await goTo('System');
      await page.getByText('north-arena').first().waitFor();
      await page.getByText('No backup in the last week').waitFor();
      await opened.shoot('system');
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.getByLabel('Admin token').waitFor();
      await page.reload();
      await page.getByLabel('Admin token').waitFor();
    });

    test('no error was written to the console, and no other host was asked', () => {
      // The browser itself writes down every refused request: whether there is a session, and a face that was let go.
      const refused = /status of (401.*\/v1\/session|404.*\/picture)$/;
      expect(opened.complaints.filter((line) => !refused.test(line))).toEqual([]);
      expect([...opened.origins]).toEqual([link.origin]);
    });
  },
);

/** Reads the demo's output to its end; kept once the link is printed. */
function printedLink(demo: ChildProcessByStdio<null, Readable, null>): Promise<URL> {
  const { promise, resolve, reject } = Promise.withResolvers<URL>();
  const lines = createInterface({ input: demo.stdout });
  lines.on('line', (line) => {
    const found = /^Open (http:\/\/127\.0\.0\.1:\d+\/#link=[\w-]+)$/.exec(line)?.[1];
    if (found !== undefined) resolve(new URL(found));
  });
  lines.on('close', () => reject(new Error('the demo ended without a link')));
  return promise;
}

/** A picture of a guest of `harbour-hall`, another crop than those that were enrolled. */
async function medic(): Promise<Buffer> {
  const face = PHOTO_FACES.find(({ person, photo }) => person === 'medic' && photo === 3);
  const photo = (await samplePhotos())[2];
  if (face === undefined || photo === undefined) throw new Error('there is no such face');
  const { x, y, width, height } = face.box;
  const region = { left: Math.round(x - width / 2), top: Math.max(0, Math.round(y - height / 2)), width: width * 2, height: height * 2 };
  return sharp(photo).extract(region).jpeg().toBuffer();
}
