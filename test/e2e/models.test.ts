import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { RtspCamera } from '../../provisioning/demo/camera/rtsp-camera.ts';
import { DaemonProcess } from '../helpers/daemon-process.ts';
import { enrolByCommand } from '../helpers/enrol-by-command.ts';
import { TestFleet } from '../helpers/fleet.ts';
import { FACE_VIDEO_FPS, makeFaceVideo } from '../helpers/make-face-video.ts';
import { modelFolder } from '../helpers/model-folder.ts';
import { twoPeople } from '../helpers/people.ts';
import { installScrfd, scrfdMissing } from '../helpers/scrfd-model.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const PATIENTLY = { timeout: 150_000, interval: 100 };

function startDaemon(config: string): DaemonProcess {
  const daemon = new DaemonProcess(config);
  onTestFinished(() => daemon.cleanUp());
  return daemon;
}

test.skipIf(scrfdMissing)(
  'models chosen in the control plane take over without a camera being let go, killed on the way or not',
  async () => {
    const [ada] = await twoPeople();
    const camera = new RtspCamera({ video: await makeFaceVideo(ada.toShow, 4), fps: FACE_VIDEO_FPS, end: 'loop' });
    await camera.start();
    onTestFinished(() => camera.stop());
    const fleet = await TestFleet.start({ broker: 'embedded' });
    const [folder, modelsDir] = [await tempFolder(), await modelFolder()];
    const config = join(folder, 'box.json');
    await writeFile(
      config,
      JSON.stringify({
        ...{ dataDir: join(folder, 'data'), keyDir: join(folder, 'keys'), modelsDir, api: { port: 0 } },
        tenants: [{ id: 'north', org: 'acme' }],
        cameras: [{ id: 'door', tenant: 'north', url: camera.url, fps: FACE_VIDEO_FPS }],
      }),
    );
    const device = await enrolByCommand(fleet, config);
    await fleet.trust({ id: device });
    const choose = (models: string | null) => fleet.ask('PATCH', `/devices/${device}`, { models });
    const told = async () => {
      const { modelSet, models } = (await fleet.ask('GET', `/devices/${device}/state`)).body.reported?.state ?? {};
      return [modelSet, models?.state, models?.reason];
    };
    const files = async () => (await fleet.ask('GET', `/devices/${device}/state`)).body.reported.state.models.files;

    const first = startDaemon(config);
    await expect.poll(told, PATIENTLY).toEqual(['embedded', 'applied', null]);
    expect(await choose('scrfd-10g')).toMatchObject({ status: 200, body: { models: 'scrfd-10g' } });
    // Somebody has to bring it, and to accept its licence on the box.
    await expect.poll(told, PATIENTLY).toEqual(['embedded', 'waiting', 'model_licence']);
    first.kill('SIGKILL');
    await first.exit;
    await installScrfd(modelsDir);
    const second = startDaemon(config);
    await expect.poll(() => second.log, { ...PATIENTLY, interval: 5 }).toContain('other models are tried');
    second.kill('SIGKILL');
    await second.exit;

    const third = startDaemon(config);
    await expect.poll(told, PATIENTLY).toEqual(['scrfd-10g', 'applied', null]);
    await third.until('sighting', ({ models }) => models.detector === 'scrfd-10g-bnkps');
    expect(await files()).toMatchObject([{ id: 'scrfd-10g-bnkps' }, { id: 'faceplugin-512' }]);
    expect(await choose(null)).toMatchObject({ status: 200 });
    await expect.poll(told, PATIENTLY).toEqual(['embedded', 'applied', null]);
    expect(await choose('antelopev2')).toMatchObject({ status: 200 });
    await expect.poll(told, PATIENTLY).toEqual(['embedded', 'failed', 'embedder_differs']);
    // The camera was connected once, and no picture of it was given up.
    const states = third.events.flatMap((event) => (event.type === 'camera' ? [event.state] : []));
    expect(states).toEqual(['connecting', 'live']);
    const { cameras } = await third.until('stats', undefined, third.events.length);
    expect(cameras).toMatchObject([{ camera: 'door', failures: 0 }]);
  },
  400_000,
);
