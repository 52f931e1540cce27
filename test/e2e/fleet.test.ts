import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { CloudProcess } from '../../provisioning/cloud/cloud-process.ts';
import { assignBox, enrolBox } from '../../provisioning/cloud/enrol-box.ts';
import { foundOrg } from '../../provisioning/cloud/found-org.ts';
import { openCloud } from '../../provisioning/cloud/open-cloud.ts';
import { securegate } from '../../provisioning/cloud/securegate.ts';
import { RtspCamera } from '../../provisioning/demo/camera/rtsp-camera.ts';
import { contentOf } from '../../shared/cloud-client/create-cloud-client.ts';
import { DaemonProcess } from '../helpers/daemon-process.ts';
import { embeddedModels } from '../helpers/embedded-models.ts';
import { enrolByCommand } from '../helpers/enrol-by-command.ts';
import { TestFleet } from '../helpers/fleet.ts';
import { FACE_VIDEO_FPS, makeFaceVideo } from '../helpers/make-face-video.ts';
import { twoPeople } from '../helpers/people.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const PATIENTLY = { timeout: 60_000, interval: 100 };

beforeAll(async () => {
  await embeddedModels();
}, 120_000);

test('a box that enrols while it runs is leased its tenant, told what to do, does it once whoever crashes, and is out when it is denied', async () => {
  const folder = await tempFolder();
  const at = (name: string): string => join(folder, name);
  const cloud = new CloudProcess(at('cloud'));
  onTestFinished(() => cloud.stop());
  await cloud.start();

  // The org with its admin and a tenant.
  const [org, tenant] = ['acme', 'hall'];
  const path = { org };
  const admin = await foundOrg(cloud, { org, tenants: [tenant], folder });
  const ada = await openCloud({ config: cloud.config, account: admin.account });

  // The box enrols by a token, and the admin assigns it.
  const box = ['--config', at('box.json')];
  const tenants = [{ id: tenant, org, keys: 'lease' }];
  await writeFile(at('box.json'), JSON.stringify({ dataDir: at('data'), keyDir: at('keys'), api: { port: 0 }, tenants }));
  const daemons: DaemonProcess[] = [];
  const startDaemon = (): DaemonProcess => {
    const daemon = new DaemonProcess(at('box.json'));
    daemons.push(daemon);
    onTestFinished(() => daemon.cleanUp());
    return daemon;
  };
  const first = startDaemon();
  const { api } = await first.until('ready');
  const enrolled = await enrolBox(cloud, admin, { config: at('box.json'), api, folder });
  const { device } = enrolled;
  await assignBox(admin, enrolled, tenant);

  /** The newest word of the daemon on its link. */
  const connected = (daemon: DaemonProcess, wanted: boolean): Promise<unknown> =>
    daemon.until('stats', ({ link }) => link?.connected === wanted, daemon.events.length);
  const order = async (): Promise<string> => {
    const body = { device, order: { kind: 'restart-tenant' as const, body: { tenant } } };
    return (await contentOf(ada.POST('/v1/orgs/{org}/commands', { params: { path }, body }))).id;
  };
  const stateOf = async (id: string): Promise<string> =>
    (await contentOf(ada.GET('/v1/orgs/{org}/commands/{id}', { params: { path: { org, id } } }))).state;
  /** It was done once, and the box's signed word on it is kept. */
  const expectDone = async (command: string): Promise<void> => {
    await expect.poll(() => stateOf(command), PATIENTLY).toBe('SUCCEEDED');
    const { items } = await contentOf(ada.GET('/v1/orgs/{org}/receipts', { params: { path, query: { command } } }));
    expect(items).toMatchObject([{ device, command, state: 'SUCCEEDED' }]);
    const settled = daemons.flatMap(({ log }) => log.split('\n')).filter((line) => line.includes('is settled') && line.includes(command));
    expect(settled).toHaveLength(1);
  };

  // Nobody told it of a KMS but its enrolment.
  await connected(first, true);
  expect(await securegate(['status', ...box, '--api', api])).toMatch(/Link: +connected for \d+ min/);
  const leases = async (): Promise<unknown> => JSON.parse(await securegate(['lease', 'show', ...box, '--api', api, '--json']));
  await expect.poll(leases, PATIENTLY).toMatchObject([{ tenant, state: 'ready', comes: 'kms', epoch: 1, failure: null }]);
  await expectDone(await order());
  const asked = { path: { org, id: device } };
  const telemetry = async () => (await contentOf(ada.GET('/v1/orgs/{org}/devices/{id}/telemetry', { params: asked }))).report;
  await expect.poll(telemetry, PATIENTLY).toMatchObject({
    cameras: { live: 0, others: 0 },
    diskFreeBytes: expect.any(Number),
    tenants: [{ tenant, state: 'ready', waiting: 0 }],
  });

  // The same by commands of `securegate`.
  const byCommand = (...args: string[]): Promise<string> => securegate(['cloud', ...args, ...admin.options]);
  const told = await byCommand('commands', 'create', org, device, 'restart-tenant', '--tenant', tenant);
  await expectDone(told);
  expect(await byCommand('commands', 'show', org, told)).toMatch(/^restart-tenant for box_.*: SUCCEEDED since /);
  expect((await byCommand('commands', 'list', org, '--device', device)).split('\n').at(-1)).toMatch(`${told}  ${device}  restart-tenant`);
  expect(await byCommand('receipts', 'list', org, '--command', told)).toContain('SUCCEEDED');
  await expect(byCommand('commands', 'cancel', org, told)).rejects.toThrow('command_settled');
  const door = await byCommand('cameras', 'create', org, tenant, device, 'door', '--url', 'rtsp://127.0.0.1:9/1', '--fps', '2');
  await byCommand('cameras', 'change', org, tenant, door, '--title', 'Main door');
  expect(await byCommand('cameras', 'list', org, tenant)).toContain(door);
  const shown = (): Promise<string> => byCommand('devices', 'state', org, device);
  await expect
    .poll(shown, PATIENTLY)
    .toMatch(new RegExp(`It has taken what it should have[^]*\n${tenant} +fixed\n${tenant} +${door} +applied$`));
  await byCommand('cameras', 'remove', org, tenant, door);
  await expect.poll(shown, PATIENTLY).not.toContain(door);
  await byCommand('devices', 'models', org, device, 'antelopev2');
  await expect
    .poll(shown, PATIENTLY)
    .toMatch(/Models: embedded, antelopev2: failed \[embedder_differs\]\. Choose a set with the embedding model/);
  await byCommand('devices', 'models', org, device, '--own');
  await expect.poll(shown, PATIENTLY).toContain('Models: embedded, embedded: applied\n');
  await expect(byCommand('devices', 'models', org, device)).rejects.toThrow('usage');

  // A command waits for a box that has no chance to say that it goes.
  first.kill('SIGKILL');
  await first.exit;
  const queued = await order();
  expect(await stateOf(queued)).not.toBe('SUCCEEDED');
  const second = startDaemon();
  await expectDone(queued);

  // Control plane, broker and KMS go and come back; the box finds its way by itself.
  await cloud.stop();
  await connected(second, false);
  await cloud.start();
  // On a busy machine it turns requests away until it has caught up with its own start.
  let again = '';
  await expect.poll(async () => (again = await order()), PATIENTLY).not.toBe('');
  await expectDone(again);

  // It is denied: cut off at once, refused when it tries, and nothing reaches it.
  const denied = second.events.length;
  await ada.POST('/v1/orgs/{org}/devices/{id}/deny', { params: { path: { org, id: device } } });
  await connected(second, false);
  await second.until('stats', ({ link }) => /not authorized/i.test(link?.problem ?? ''), denied);
  const { api: secondApi } = await second.until('ready');
  expect(await (await fetch(`${secondApi}/readyz`)).json()).toMatchObject({ warnings: expect.arrayContaining(['broker_unavailable']) });
  const metrics = await (await fetch(`${cloud.url}/metrics`)).text();
  expect(metrics).toContain('securegate_cloud_connected_boxes 0');
  expect(metrics).toMatch(/broker_refusals_total\{what="refused",reason="not allowed"\} [1-9]/);
  await expect(order()).rejects.toMatchObject({ code: 'device_not_found' });
}, 240_000);

test('who is in view when a tenant is closed counts as seen', async () => {
  const [ada] = await twoPeople();
  const camera = new RtspCamera({ video: await makeFaceVideo(ada.toShow, 8), fps: FACE_VIDEO_FPS, end: 'loop' });
  await camera.start();
  onTestFinished(() => camera.stop());
  const fleet = await TestFleet.start({ broker: 'embedded' });
  const folder = await tempFolder();
  const config = join(folder, 'box.json');
  const door = { id: 'door', tenant: 'hall', url: camera.url, fps: FACE_VIDEO_FPS };
  const tenants = [{ id: 'hall', org: 'acme', keys: 'lease' }];
  const file = { dataDir: join(folder, 'data'), keyDir: join(folder, 'keys'), api: { port: 0 }, tenants, cameras: [door] };
  await writeFile(config, JSON.stringify(file));
  const device = await enrolByCommand(fleet, config);
  await fleet.trust({ id: device });
  await fleet.assign({ id: device });
  const daemon = new DaemonProcess(config);
  onTestFinished(() => daemon.cleanUp());
  const order = async (kind: string): Promise<void> => {
    const { status, body } = await fleet.ask('POST', '/commands', { device, order: { kind, body: { tenant: 'hall' } } });
    expect(status, JSON.stringify(body)).toBe(201);
    await expect.poll(async () => (await fleet.ask('GET', `/commands/${body.id}`)).body.state, PATIENTLY).toBe('SUCCEEDED');
  };
  await daemon.until('stats', ({ cameras }) => cameras.some(({ tracks }) => tracks > 0));
  await order('revoke-lease');
  await daemon.until('stats', ({ vaults: [hall] }) => hall?.state === 'failed');
  await camera.stop();
  const seen = new Set(daemon.events.flatMap((event) => (event.type === 'sighting' && event.phase === 'ended' ? [event.id] : [])));
  expect(seen.size).toBeGreaterThan(0);
  await order('renew-lease');
  const day = (off: number): string => new Date(Date.now() + off * 86_400_000).toISOString().slice(0, 10);
  const counted = async (): Promise<number> => {
    const { body } = await fleet.ask('GET', `/tenants/hall/sighting-counts?from=${day(-1)}&to=${day(1)}`);
    return (body.counts as { known: number; unknown: number }[]).reduce((sum, { known, unknown }) => sum + known + unknown, 0);
  };
  await expect.poll(counted, PATIENTLY).toBe(seen.size);
}, 240_000);
