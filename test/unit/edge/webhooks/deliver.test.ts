import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { deliver } from '../../../../edge/webhooks/deliver.ts';

/** A receiver on loopback that says what `talk` lets it say. */
async function receiver(talk: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => socket.destroy()));
    socket.once('data', () => talk(socket)).resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const post = async (url: string): Promise<number> =>
  deliver({ url, headers: {}, body: Buffer.from('{}'), allowPrivate: true, signal: new AbortController().signal });

/** Says it again as fast as it is taken. */
function flood(socket: Socket, text: string): void {
  const chunk = text.repeat(Math.ceil(65_536 / text.length));
  const more = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
}

test('a few interim answers before the answer are nothing unusual', async () => {
  const url = await receiver((socket) =>
    socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n'),
  );
  expect(await post(url)).toBe(204);
});

test('a receiver who sends interim answers without end is not listened to until the time is over', async () => {
  const url = await receiver((socket) => flood(socket, 'HTTP/1.1 103 Early Hints\r\n\r\n'));
  const started = performance.now();
  expect(await post(url)).toBe(103);
  expect(performance.now() - started).toBeLessThan(5000);
});
