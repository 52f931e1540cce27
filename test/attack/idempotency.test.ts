import { join } from 'node:path';
import type { FastifyRequest } from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../cloud/store/open-store.ts';
import { StoredIdempotency } from '../../cloud/store/stored-idempotency.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { Idempotency } from '../../shared/http/idempotency.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const REQUEST = {
  headers: { 'idempotency-key': 'key' },
  method: 'POST',
  url: '/v1/things',
  body: { name: 'one' },
} as unknown as FastifyRequest;
const refused = new SecureGateError('conflict', 'There are enough of them');

/** What is made, by whichever process, and processes that work on one request: each makes what it makes when the test says so. */
async function processes() {
  const file = join(await tempFolder(), 'cloud.db');
  const made = new Set<string>();
  return async (id: string) => {
    const store = await openStore({ file });
    onTestFinished(() => store.close());
    const idempotency = new Idempotency(new StoredIdempotency(store.db, Date.now), () => 'ada');
    const begun = Promise.withResolvers<void>();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const make = async (given: string): Promise<void> => {
      begun.resolve();
      await promise;
      if (made.has(given)) throw new SecureGateError('conflict', 'It is there');
      made.add(given);
    };
    const read = (given: string): string => {
      if (!made.has(given)) throw new SecureGateError('principal_not_found', 'It is not there');
      return given;
    };
    return {
      made,
      begun: begun.promise,
      go: resolve,
      refuse: () => reject(refused),
      ask: () => idempotency.once(REQUEST, id, { make, read }),
    };
  };
}

test('a first request that is refused while another process makes the thing leaves no room for a second one', async () => {
  const start = await processes();
  const [first, second, third] = [await start('a'), await start('b'), await start('c')];
  const answers = [first.ask()];
  await first.begun;
  answers.push(second.ask());
  await second.begun;
  first.refuse();
  await expect(answers[0]).rejects.toThrow(refused);
  answers.push(third.ask());
  await third.begun;
  second.go();
  expect(await answers[1]).toBe('a');
  third.go();
  await Promise.allSettled(answers);
  expect([...first.made]).toEqual(['a']);
  expect(await (await start('d')).ask(), 'whoever repeats it is told which').toBe('a');
});

test('a key whose request was refused is free for another one, unless somebody still works on it', async () => {
  const start = await processes();
  const [first, second, third] = [await start('a'), await start('b'), await start('c')];
  const asked = first.ask();
  await first.begun;
  first.refuse();
  await expect(asked).rejects.toThrow(refused);
  second.go();
  expect(await second.ask()).toBe('b');
  expect(await third.ask()).toBe('b');
});
