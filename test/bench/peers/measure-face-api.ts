import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { PictureFigures } from './time-pictures.ts';

/** face-api and SecureGate on the same photographs, each in a process of its own, one after the other. */
export async function measureFaceApi(): Promise<{ peer: PictureFigures; own: PictureFigures }> {
  return { peer: await figuresOf('./face-api-process.ts'), own: await figuresOf('./own-pictures-process.ts') };
}

async function figuresOf(script: string): Promise<PictureFigures> {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)));
  const early = once(child, 'exit').then(([code]): never => {
    throw new Error(`${script} ended with ${code}`);
  });
  const [figures] = (await Promise.race([once(child, 'message'), early])) as [PictureFigures];
  child.disconnect();
  await early.catch(() => undefined);
  return figures;
}
