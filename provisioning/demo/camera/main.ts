import { readFile } from 'node:fs/promises';
import { type CamerasStarted, startCamerasSchema } from './protocol.ts';
import { RtspCamera } from './rtsp-camera.ts';

/** Entry of the process that plays the demo's cameras. It ends when its parent does. */
process.title = 'securegate-test-cameras';

process.once('message', async (message) => {
  const { videos, fps, end, port } = startCamerasSchema.parse(message);
  const urls: Record<string, string> = {};
  for (const [id, file] of Object.entries(videos)) {
    const camera = new RtspCamera({
      video: await readFile(file),
      fps,
      end,
      ...(port === undefined ? {} : { port }),
      onEnd: () => camera.refuse(),
    });
    await camera.start();
    urls[id] = camera.url;
  }
  process.send?.({ urls } satisfies CamerasStarted);
});

process.once('disconnect', () => process.exit(0));

// Ctrl-C reaches the whole group: the cameras play on until the parent has stopped what watches them.
process.on('SIGINT', () => undefined);
