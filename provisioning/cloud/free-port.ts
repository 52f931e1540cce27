import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Linux gives those from 32768 on to whoever connects or asks for any: one of them could be gone before it is listened on. */
const [FIRST, END] = [20_000, 32_768];

/** A TCP port of loopback that was free a moment ago, from `first` to below `end`. */
export async function freePort(first = FIRST, end = END): Promise<number> {
  const port = randomInt(first, end);
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return freePort(first, end);
  }
  server.close();
  await once(server, 'close');
  return port;
}
