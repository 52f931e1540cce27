import type { LookupAddress, LookupOptions } from 'node:dns';
import { expect, test } from 'vitest';
import { publicLookup, type Resolve } from '../../../../edge/webhooks/public-lookup.ts';

const PUBLIC: LookupAddress[] = [
  { address: '193.99.144.80', family: 4 },
  { address: '2a02:2e0::80', family: 6 },
];

function ask(resolve: Resolve, options: LookupOptions): Promise<unknown> {
  return new Promise((done, fail) => {
    publicLookup(resolve)('hooks.example.com', options, (error, address, family) => (error ? fail(error) : done([address, family])));
  });
}

test('gives what the one resolution gave: a name that means something else a moment later is not asked again', async () => {
  const answers = [PUBLIC, [{ address: '127.0.0.1', family: 4 }]];
  const resolve: Resolve = async () => answers.shift() ?? [];
  expect(await ask(resolve, {})).toEqual(['193.99.144.80', 4]);
  expect(answers).toHaveLength(1);
});

test('gives all addresses to who asks for all of them', async () => {
  expect(await ask(async () => PUBLIC, { all: true })).toEqual([PUBLIC, undefined]);
});

test('passes on what kept a name from being resolved', async () => {
  const failure = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  await expect(ask(() => Promise.reject(failure), {})).rejects.toBe(failure);
});
