import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SocketLeaseCarrier } from '../../../../edge/link/socket-lease-carrier.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const refused = (code: string): unknown => expect.objectContaining({ code });

/** Somebody at the socket who says always the same, and hangs up. */
async function saying(text: string): Promise<SocketLeaseCarrier> {
  const path = join(await tempFolder(), 'kms.sock');
  const server = createServer((socket) => socket.on('error', () => undefined).end(text));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.close());
  return new SocketLeaseCarrier(path);
}

test.each([
  ['nothing', ''],
  ['no JSON', 'HTTP/1.1 400 Bad Request\n'],
  ['another thing', '[]\n'],
  ['half an answer', '{"id":1,"result":{"nonce":'],
  ['more than an answer', `{"id":1,"result":"${'x'.repeat(100_000)}"}\n`],
  ['a challenge that is none', '{"id":1,"result":{"nonce":"short"}}\n'],
  ['no result', '{"id":1}\n'],
])('who says %s is no KMS', async (_what, text) => {
  await expect((await saying(text)).challenge()).rejects.toThrow(refused('kms_unavailable'));
});

test('an answer that is none is refused', async () => {
  await expect((await saying('{"id":1,"result":{"sealed":"!"}}\n')).export('')).rejects.toThrow(refused('kms_unavailable'));
});

test("the KMS's own refusal is told as it is", async () => {
  const carrier = await saying('{"id":1,"error":{"code":"device_denied","message":"no","details":{}}}\n');
  await expect(carrier.export('')).rejects.toThrow(refused('device_denied'));
});
