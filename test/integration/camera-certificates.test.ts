import { readFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { createServer } from 'node:tls';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { testCamera } from '../../edge/box/test-camera.ts';
import { systemClock } from '../../edge/runtime/clock.ts';
import { RtspCamera } from '../../provisioning/demo/camera/rtsp-camera.ts';
import { makeTestVideo } from '../helpers/make-test-video.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { hasOpenssl, TestCa } from '../helpers/test-ca.ts';

const FPS = 25;
let video: Buffer;
beforeAll(async () => {
  video = await makeTestVideo({ pictures: 50, fps: FPS });
});

/** A camera behind TLS. */
async function secureCamera({ cert, key }: { readonly cert: string; readonly key: string }) {
  const camera = new RtspCamera({ video, fps: FPS, end: 'loop' });
  await camera.start();
  onTestFinished(() => camera.stop());
  const { port, pathname } = new URL(camera.url);
  let heard = 0;
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (client) => {
    const inner = connect(Number(port), '127.0.0.1');
    client.on('data', (bytes) => {
      heard += bytes.length;
    });
    client.pipe(inner).pipe(client);
    client.on('error', () => inner.destroy());
    inner.on('error', () => client.destroy());
    onTestFinished(() => void client.destroy());
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `rtsps://viewer:secret@127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`;
  return { url, heard: () => heard };
}

describe.skipIf(!hasOpenssl)('a camera that speaks TLS', () => {
  test('is believed by its certificate; one that shows another hears nothing, neither user nor password', async () => {
    const folder = await tempFolder();
    const [ours, other] = [new TestCa(folder, 'ours'), new TestCa(folder, 'other')];
    const camera = await secureCamera(ours.issue('camera'));
    expect(await testCamera(camera.url, ours.file, systemClock)).toMatchObject({ width: expect.any(Number) });
    const impostor = await secureCamera(other.issue('impostor'));
    await expect(testCamera(impostor.url, ours.file, systemClock)).rejects.toMatchObject({ code: 'camera_unreachable' });
    expect(impostor.heard()).toBe(0);
    // As long as no certificates are named.
    expect(await testCamera(impostor.url, undefined, systemClock)).toMatchObject({ width: expect.any(Number) });
  });

  test('is believed by a certificate that it signed itself, and not where the file of the certificates is gone', async () => {
    const folder = await tempFolder();
    const own = new TestCa(folder, 'camera');
    const camera = await secureCamera({ cert: own.file, key: own.file.replace(/\.pem$/, '.key') });
    expect(await testCamera(camera.url, own.file, systemClock)).toMatchObject({ width: expect.any(Number) });
    await expect(testCamera(camera.url, `${own.file}.gone`, systemClock)).rejects.toMatchObject({ code: 'camera_unreachable' });
  });
});
