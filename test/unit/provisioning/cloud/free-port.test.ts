import { expect, test } from 'vitest';
import { freePort } from '../../../../provisioning/cloud/free-port.ts';

test('is none that the kernel gives to a connection before it is listened on', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, freePort));
  expect(Math.max(...ports)).toBeLessThan(32_768);
});
