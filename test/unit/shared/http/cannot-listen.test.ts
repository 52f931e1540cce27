import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { cannotListen } from '../../../../shared/http/cannot-listen.ts';

test('says that another program has the port', async () => {
  const [first, second] = [createServer(), createServer()];
  onTestFinished(() => void first.close());
  await once(first.listen(0, '127.0.0.1'), 'listening');
  const { port } = first.address() as AddressInfo;
  const [refusal] = await once(second.listen(port, '127.0.0.1'), 'error').catch((error: unknown) => [error]);
  expect(cannotListen('127.0.0.1', port, refusal)).toMatchObject({
    code: 'config_invalid',
    message: `Cannot listen on 127.0.0.1:${port}: another program listens there. End that one, or take another port`,
  });
});
