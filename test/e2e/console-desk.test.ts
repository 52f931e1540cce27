import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../../edge/config/load-config.ts';
import { Daemon } from '../../edge/daemon.ts';
import { systemClock } from '../../edge/runtime/clock.ts';
import { RtspCamera } from '../../provisioning/demo/camera/rtsp-camera.ts';
import { CHROMIUM, type ConsoleBrowser, openConsoleBrowser } from '../helpers/console-browser.ts';
import { embeddedModels } from '../helpers/embedded-models.ts';
import { FACE_VIDEO_FPS, makeFaceVideo } from '../helpers/make-face-video.ts';
import { type Person, twoPeople } from '../helpers/people.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';

/** What somebody does at the desk: venues, keys, rooms, and a person who stands before the camera. */
describe.skipIf(!existsSync(CHROMIUM))(
  "the console's desk in a browser (skipped where Debian's chromium is not installed)",
  { timeout: 120_000 },
  () => {
    let folder: string;
    let camera: RtspCamera;
    let daemon: Daemon;
    let origin: string;
    let token: string;
    let people: [Person, Person];
    let opened: ConsoleBrowser;
    let page: Page;

    beforeAll(async () => {
      await embeddedModels();
      people = await twoPeople();
      camera = new RtspCamera({ video: await makeFaceVideo(people[0].toShow, 4), fps: FACE_VIDEO_FPS, end: 'loop' });
      await camera.start();
      folder = await mkdtemp(join(tmpdir(), 'securegate-test-'));
      const config = parseConfig({
        dataDir: join(folder, 'data'),
        keyDir: join(folder, 'keys'),
        api: { port: 0 },
        tenants: [{ id: 'north', org: 'acme' }],
        cameras: [{ id: 'door', tenant: 'north', url: camera.url }],
      });
      const { promise, resolve } = Promise.withResolvers<string>();
      daemon = new Daemon({
        config,
        clock: systemClock,
        logger: testLogger(),
        emit: (event) => event.type === 'ready' && resolve(event.api),
      });
      await daemon.start(new AbortController().signal);
      ({ origin } = new URL(await promise));
      token = (await readFile(join(folder, 'keys', 'admin.token'), 'utf8')).trim();
      opened = await openConsoleBrowser();
      ({ page } = opened);
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin });
    }, 120_000);

    afterAll(async () => {
      await opened?.browser.close();
      await daemon?.stop();
      await camera?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    afterEach(({ task }) => opened?.shoot(`desk-${task.name}`));

    const button = (name: string): Locator => page.getByRole('button', { name, exact: true });
    const dialog = (): Locator => page.getByRole('dialog');
    const choose = async (name: string): Promise<void> => {
      const radio = page.getByRole('radio', { name, exact: true });
      await radio.click();
      await expect.poll(() => radio.isChecked()).toBe(true);
    };
    const focused = (element: Locator): Promise<void> => element.and(page.locator(':focus')).waitFor();
    const row = (name: RegExp): Locator => page.getByRole('row', { name });
    const goTo = (name: string): Promise<void> => page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name }).click();
    const choosePicture = (buffer: Buffer): Promise<void> =>
      dialog().locator('input[type=file]').setInputFiles({ name: 'face.jpg', mimeType: 'image/jpeg', buffer });
    /** Asks with a key, as a program would. */
    const statusFor = async (key: string, path: string): Promise<number> =>
      (await fetch(`${origin}/v1/tenants/${path}`, { headers: { authorization: `Bearer ${key}` } })).status;

    test('the token logs in, by the keyboard alone', async () => {
      await page.goto(origin);
      await focused(page.getByLabel('Admin token'));
      await page.keyboard.insertText(token);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Live', exact: true }).waitFor();
    });

    test('a dialog begins in its first field, leaves on Escape and gives the focus back', async () => {
      await goTo('Venues');
      await button('Add a venue').click();
      const first = dialog().getByLabel('Short name');
      await focused(first);
      await page.keyboard.press('Escape');
      await dialog().waitFor({ state: 'detached' });
      await focused(button('Add a venue'));
    });

    test('a venue of the configuration is fixed; one that is added opens, and its policy is changed', async () => {
      await row(/^north/)
        .getByText('in the configuration')
        .waitFor();
      expect(
        await row(/^north/)
          .getByRole('button')
          .count(),
      ).toBe(0);
      await page.keyboard.press('Enter');
      await dialog().getByLabel('Short name').fill('north');
      await page.keyboard.press('Enter');
      await dialog().getByRole('alert').getByText('There is a venue of this id').waitFor();
      await dialog().getByLabel('Short name').fill('south');
      await page.keyboard.press('Enter');
      await row(/^south/)
        .getByText('Open')
        .waitFor();
      await button('Edit south').click();
      await dialog().getByLabel('Says a name from similarity').fill('0.6125');
      await dialog().getByLabel('Keeps an unknown face for (seconds)').fill('25');
      await page.keyboard.press('Enter');
      await row(/^south.*similarity 0\.61.*25 s/).waitFor();
    });

    test('a key is shown once, opens what it may and nothing else, and nothing at all once it is revoked', async () => {
      await button('Make a key').click();
      await dialog().getByLabel('Program').fill('Ticket shop');
      await button('Make key').click();
      // The browser itself asks for at least one.
      await expect.poll(() => dialog().locator('input:invalid').count()).toBeGreaterThan(0);
      await dialog().getByLabel('See cameras and their state').check();
      await button('Make key').click();
      const key = await dialog().getByLabel('Key', { exact: true }).inputValue();
      await button('Copy').click();
      await button('Copied').waitFor();
      expect(await page.evaluate('navigator.clipboard.readText()')).toBe(key);
      await opened.shoot('desk-key');
      await button('Done').click();
      expect(await page.content()).not.toContain(key);
      expect(await statusFor(key, 'south/cameras')).toBe(200);
      expect(await statusFor(key, 'south/customers')).toBe(403);
      expect(await statusFor(key, 'north/cameras')).toBe(403);
      await page.reload();
      await row(/^Ticket shop.*cameras:read.*Valid until/)
        .getByText('just now')
        .waitFor();
      await button('Revoke Ticket shop').click();
      await focused(dialog().getByRole('button', { name: 'Cancel' }));
      await dialog().getByRole('button', { name: 'Revoke' }).click();
      await row(/^Ticket shop.*Revoked/).waitFor();
      expect(await statusFor(key, 'south/cameras')).toBe(401);
    });

    test('a camera stands in a room of its venue, and leaves it', async () => {
      await button('Add a room').click();
      await dialog().getByLabel('Title').fill('Great hall');
      await page.keyboard.press('Enter');
      await page.getByRole('region', { name: 'Rooms' }).getByText('Great hall').waitFor();
      await goTo('Cameras');
      await choose('south');
      await button('Add a camera').click();
      await dialog().getByLabel('Address').fill('rtsp://127.0.0.1:9/nothing');
      await dialog().getByLabel('Short name').fill('stage');
      await dialog().getByLabel('Room').selectOption('Great hall');
      await button('Add camera').click();
      await row(/^stage/)
        .getByText('Great hall')
        .waitFor();
      await button('Edit stage').click();
      await dialog().getByLabel('Room').selectOption('none');
      await button('Save').click();
      await row(/^stage/)
        .getByText('Great hall')
        .waitFor({ state: 'detached' });
    });

    test('an unknown face is held while the form is filled in, longer than any other, and enrolled', async () => {
      await goTo('Sightings');
      await choose('north');
      await choose('Unknown');
      await button('Enrol').first().click();
      await dialog().getByText('The box holds this face while you fill in the form').waitFor();
      const openedAt = new Date().toISOString();
      const letGo = async (): Promise<boolean> => {
        const answer = await page.context().request.get(`${origin}/v1/tenants/north/sightings?outcome=unknown`);
        const { items } = (await answer.json()) as { items: { startedAt: string; hasPicture: boolean }[] };
        return items.some((later) => later.startedAt > openedAt && !later.hasPicture);
      };
      await expect.poll(letGo, { timeout: 60_000, interval: 500 }).toBe(true);
      await dialog().getByText('The box holds this face').waitFor();
      await dialog().getByLabel('Name').fill('Tamsin Oakhollow');
      await dialog().getByLabel('Notice shown').fill('2026-1');
      await dialog().getByLabel('Purpose', { exact: true }).fill('Entry without ticket');
      await dialog().getByRole('checkbox').check();
      await dialog().getByRole('button', { name: 'Enrol' }).click();
      await dialog().getByText('Tamsin Oakhollow is enrolled.').waitFor();
      await dialog().getByRole('link', { name: 'Open profile' }).click();
    });

    test('a profile says where somebody is now, before the sighting is over', async () => {
      await page.getByRole('region', { name: 'Last seen' }).getByText('In view now at door').waitFor();
    });

    test('a picture is compared with one person alone: the same, or somebody else', async () => {
      await button('Compare a picture').click();
      await choosePicture(people[0].toEnrol);
      await dialog().getByText('Yes, this is Tamsin Oakhollow.').waitFor();
      await opened.shoot('desk-verified');
      await choosePicture(people[1].toEnrol);
      await dialog().getByText('No, this does not look like Tamsin Oakhollow.').waitFor();
      await button('Done').click();
    });

    test('a page that is opened while somebody is in view lists them at once', async () => {
      // Without the stream, the page knows only what it asks for.
      const stream = '**/v1/sightings/stream*';
      await page.route(stream, (route) => route.fulfill({ contentType: 'text/event-stream', body: '' }));
      await goTo('Sightings');
      const card = page.getByRole('listitem').filter({ hasText: 'Tamsin Oakhollow' }).filter({ hasText: 'in view now' });
      await card.first().waitFor();
      await page.unroute(stream);
    });

    test('whoever is removed is told of as erased, and as more once the venue has another key', async () => {
      const consent = { noticeVersion: '1', purpose: 'entry', givenAt: '2026-01-01T00:00:00Z', expiresAt: '2999-01-01T00:00:00Z' };
      const ask = (method: string, path: string, body?: object): Promise<Response> =>
        fetch(`${origin}/v1/tenants/north/customers${path}`, {
          method,
          headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
          body: body ? JSON.stringify(body) : null,
        });
      const { id } = (await (await ask('POST', '', { name: 'Gone Soon', consent })).json()) as { id: string };
      expect((await ask('DELETE', `/${id}`)).status).toBe(204);
      await goTo('Venues');
      const erased = page.getByRole('region', { name: 'Erasures' }).getByRole('row').filter({ hasText: id });
      await erased.getByText('Erased here').waitFor();
      await button('Replace the venue’s key').click();
      await dialog().getByRole('button', { name: 'Replace', exact: true }).click();
      await erased.getByText('the venue has another key').waitFor();
      await expect(readdir(join(folder, 'keys'))).resolves.toContain('north.2.key');
    });

    test('no error was written to the console, and no other host was asked', () => {
      // The browser itself writes down every refused request: whether there is a session, a name that is taken, a face that is gone.
      const refused = /status of (401.*\/v1\/session|409.*\/v1\/tenants|404.*\/picture)$/;
      expect(opened.complaints.filter((line) => !refused.test(line))).toEqual([]);
      expect([...opened.origins]).toEqual([origin]);
    });
  },
);
