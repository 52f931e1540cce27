import { generateKeyPairSync, sign } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { describe, expect, test } from 'vitest';
import { followKeyChanges } from '../../../../shared/lease/follow-key-changes.ts';
import { KEY_CHANGE_TYPE, type PinnedUse } from '../../../../shared/lease/key-change.ts';
import { type PublicKey, publicKeySchema } from '../../../../shared/lease/public-key.ts';
import { noteKeyPair } from '../../../helpers/secrecy/note-secret.ts';

function newPair() {
  const { publicKey, privateKey } = noteKeyPair('signing key', generateKeyPairSync('ec', { namedCurve: 'P-256' }));
  return { key: publicKeySchema.parse(publicKey.export({ format: 'jwk' })), privateKey };
}
type Pair = ReturnType<typeof newPair>;

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The word of one key that another one counts. */
async function change(from: Pair, to: Pair, use: PinnedUse = 'audit', header: object = {}): Promise<string> {
  const kid = await calculateJwkThumbprint(from.key);
  const input = `${part({ alg: 'ES256', typ: KEY_CHANGE_TYPE, kid, ...header })}.${part({ use, key: to.key, iat: 1 })}`;
  return `${input}.${sign('sha256', Buffer.from(input), { key: from.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

const [first, second, third, stranger] = [newPair(), newPair(), newPair(), newPair()];
const words = [await change(first, second), await change(second, third)];

function exchanged(word: string): string {
  const [header, , signature] = word.split('.');
  return `${header}.${part({ use: 'audit', key: stranger.key, iat: 1 })}.${signature}`;
}

describe('changes of a key that is pinned', () => {
  test('are followed from whichever was pinned', async () => {
    const newest = [third.key, second.key, first.key];
    expect(await followKeyChanges('audit', [first.key], words)).toEqual({ keys: newest, followed: words });
    expect(await followKeyChanges('audit', [second.key, first.key], words)).toEqual({ keys: newest, followed: words.slice(1) });
    expect(await followKeyChanges('audit', [third.key], words)).toEqual({ keys: [third.key], followed: [] });
    expect(await followKeyChanges('audit', [first.key], [])).toEqual({ keys: [first.key], followed: [] });
  });

  test('of another use lead nowhere', async () => {
    expect(await followKeyChanges('commands', [first.key], words)).toEqual({ keys: [first.key], followed: [] });
  });

  const refused: [string, readonly PublicKey[], () => Promise<string[]>][] = [
    ['that nobody has signed', [first.key], async () => [`${(await change(first, second)).split('.').slice(0, 2).join('.')}.c2ln`]],
    [
      'that say that they need no signature',
      [first.key],
      async () => [`${part({ alg: 'none', typ: KEY_CHANGE_TYPE })}.${part({ use: 'audit', key: second.key, iat: 1 })}.c2ln`],
    ],
    ['by a stranger', [first.key], async () => [await change(stranger, second)]],
    [
      'by a stranger who gives himself out as the key that counts',
      [first.key],
      async () => [await change(stranger, second, 'audit', { kid: await calculateJwkThumbprint(first.key) })],
    ],
    ['by a retired key', [second.key, first.key], async () => [...words.slice(0, 1), await change(first, stranger)]],
    ['that leave one out', [first.key], async () => words.slice(1)],
    ['whose new key was exchanged', [first.key], async () => [exchanged(words[0] ?? '')]],
    [
      'that are another word of the same key',
      [first.key],
      async () => [await change(first, second, 'audit', { typ: 'securegate-log-head+jwt' })],
    ],
  ];
  test.each(refused)('%s are refused', async (_what, pinned, told) => {
    await expect(followKeyChanges('audit', pinned, await told())).rejects.toMatchObject({ code: 'key_change_rejected' });
  });

  test('do not lead back to a retired key, whoever signs that, and change nothing when they come again', async () => {
    const pinned = [third.key, second.key, first.key];
    const back = await change(third, first);
    for (const told of [words, words.slice(0, 1), [...words, back], [back], [...words, ...words]]) {
      expect(await followKeyChanges('audit', pinned, told)).toEqual({ keys: pinned, followed: [] });
    }
  });
});
