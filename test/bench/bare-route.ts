import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Does something while a server runs in a process of its own whose one route gives `body` and does nothing else. */
export async function withBareRoute<Result>(body: string, work: (url: string) => Promise<Result>): Promise<Result> {
  const child = fork(fileURLToPath(new URL('./bare-server.ts', import.meta.url)));
  const exited = once(child, 'exit');
  try {
    child.send(body);
    const [url] = (await once(child, 'message')) as [string];
    return await work(url);
  } finally {
    child.disconnect();
    await exited;
  }
}
