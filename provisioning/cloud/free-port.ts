import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Linux gives those from 32768 on to whoever connects or asks for any: one of them could be gone before it is listened on. */
const ANY = [20_000, 32_768] as const;

/** A TCP port of loopback that was free a moment ago, from the first of two to below the other one. */
export async function freePort(among: readonly [first: number, end: number] = ANY): Promise<number> {
  const port = randomInt(...among);
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return freePort(among);
  }
  server.close();
  await once(server, 'close');
  return port;
}
