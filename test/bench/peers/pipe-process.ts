import { spawn } from 'node:child_process';
import { FRAME } from '../../../provisioning/demo/footage/script.ts';
import { openStages } from '../../helpers/open-stages.ts';

/**
 * The usual way to watch cameras with Node, as a process of its own: for each camera a program `ffmpeg` that decodes, takes
 * five pictures a second and writes their pixels into a pipe; here the same detector on every one. It recognises nobody.
 * Told the cameras' addresses once, it tells how many pictures it has looked at whenever it is asked.
 */
const FPS = 5;
const { width, height } = FRAME;
const BYTES = width * height * 3;

process.once('message', async (urls: string[]) => {
  const { detector } = await openStages();
  let frames = 0;
  for (const url of urls) {
    const input = ['-rtsp_transport', 'tcp', '-threads', '1', '-i', url];
    const output = ['-vf', `fps=${FPS}`, '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'];
    const ffmpeg = spawn('ffmpeg', ['-nostdin', '-loglevel', 'error', ...input, ...output], { stdio: ['ignore', 'pipe', 'inherit'] });
    process.once('exit', () => ffmpeg.kill('SIGKILL'));
    let picture = Buffer.allocUnsafe(BYTES);
    let filled = 0;
    let looked = Promise.resolve();
    ffmpeg.stdout.on('data', (chunk: Buffer) => {
      for (let taken = 0; taken < chunk.length; ) {
        const bytes = chunk.copy(picture, filled, taken);
        taken += bytes;
        filled += bytes;
        if (filled < BYTES) continue;
        const data = picture;
        looked = looked.then(async () => {
          await detector.detect({ width, height, data });
          frames += 1;
        });
        picture = Buffer.allocUnsafe(BYTES);
        filled = 0;
      }
    });
  }
  process.on('message', () => process.send?.(frames));
  process.send?.(frames);
});
process.once('disconnect', () => process.exit());
