import { expect, onTestFinished, test } from 'vitest';
import { BestShots } from '../../edge/box/best-shots.ts';
import { RunningModels } from '../../edge/box/running-models.ts';
import { UsageMeter } from '../../edge/box/usage-meter.ts';
import { CameraUnit } from '../../edge/camera-unit.ts';
import { parseConfig } from '../../edge/config/load-config.ts';
import { LiveView } from '../../edge/media/live/live-view.ts';
import { openStages } from '../../edge/open-stages.ts';
import type { SeenTrack } from '../../edge/pipeline/frame.ts';
import { StageTimes } from '../../edge/pipeline/stage-times.ts';
import { systemClock } from '../../edge/runtime/clock.ts';
import { Quantiles } from '../../edge/runtime/quantiles.ts';
import { VaultClient } from '../../edge/vault/client.ts';
import { RtspCamera } from '../../provisioning/demo/camera/rtsp-camera.ts';
import { VideoEncoder } from '../../provisioning/demo/footage/video-encoder.ts';
import { newId } from '../../shared/ids/ids.ts';
import { embeddedModels } from '../helpers/embedded-models.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const FORMAT = { width: 320, height: 180, fps: 25 };

/** A room in which nothing moves. */
async function stillRoom(): Promise<Buffer> {
  const encoder = new VideoEncoder(FORMAT);
  await encoder.start();
  for (let picture = 0; picture < 50; picture += 1) await encoder.encode(Buffer.alloc((FORMAT.width * FORMAT.height * 3) / 2, 128));
  return encoder.finish();
}

test('whoever watches an empty room sees every frame, though faces are looked for once a second', async () => {
  await embeddedModels();
  const logger = testLogger();
  const folder = await tempFolder();
  const source = new RtspCamera({ video: await stillRoom(), fps: FORMAT.fps, end: 'loop' });
  await source.start();
  onTestFinished(() => source.stop());
  const config = parseConfig({
    dataDir: folder,
    keyDir: folder,
    tenants: [{ id: 'north', org: 'acme' }],
    cameras: [{ id: 'door', tenant: 'north', url: source.url }],
  });
  const models = new RunningModels();
  await models.replace(await openStages(config, logger));
  onTestFinished(() => models.stop());
  const live = new LiveView<SeenTrack>();
  const times = new StageTimes();
  const unit = new CameraUnit({
    camera: config.cameras[0] as (typeof config.cameras)[number],
    policy: () => ({ matchThreshold: null, unmatchedTtlMs: 10_000 }),
    models,
    // Nobody comes, so nobody is asked for.
    vault: new VaultClient({ org: 'acme', tenant: 'north', box: newId('box'), dataDir: folder, keyDir: folder, logger }),
    latency: new Quantiles(),
    times,
    live,
    bestShots: new BestShots(systemClock, () => 10_000),
    usage: new UsageMeter(async () => undefined, logger),
    clock: systemClock,
    logger,
    emit: () => undefined,
  });
  await unit.start();
  onTestFinished(() => unit.stop());
  await expect.poll(() => unit.stats().frames, { timeout: 20_000 }).toBeGreaterThan(8);
  const looked = times.values().detect.count;
  expect(looked).toBeLessThan(unit.stats().frames / 2);
  const shown: number[] = [];
  live.watch('small', ({ mediaMs, jpeg }) => {
    expect(jpeg.length).toBeGreaterThan(100);
    shown.push(mediaMs);
  });
  await expect.poll(() => shown.some((at, index) => at - (shown[index - 1] ?? 0) === 200), { timeout: 20_000 }).toBe(true);
  expect(unit.stats()).toMatchObject({ failures: 0 });
});
