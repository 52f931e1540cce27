import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createHeader, openHeader, parseHeader } from '../../../../../edge/vault/keys/keyring-header.ts';
import { moveHeader, requireSameKeys } from '../../../../../edge/vault/keys/move-header.ts';
import { renewHeaderKeys } from '../../../../../edge/vault/keys/renew-header-keys.ts';
import { newId } from '../../../../../shared/ids/ids.ts';

const scope = { org: 'acme', tenant: 'hall', box: newId('box') };
const refused = (code: string): unknown => expect.objectContaining({ code });

test('a header that was moved holds the same keys under another tenant key, and is taken for nothing else', () => {
  const [from, to] = [randomBytes(32), randomBytes(32)];
  const header = parseHeader(createHeader(from, 1, scope), scope);
  const moved = moveHeader({ ...header, movingTo: 2 }, from, to, 2, scope);
  expect([moved.epoch, moved.movingTo, moved.previous]).toEqual([2, undefined, undefined]);
  expect(openHeader(moved, to, scope)).toEqual(openHeader(header, from, scope));
  expect(() => requireSameKeys(header, from, moved, to, scope)).not.toThrow();
  expect(() => openHeader(moved, from, scope)).toThrow(refused('key_rejected'));
  expect(() => openHeader({ ...moved, epoch: 1 }, to, scope)).toThrow(refused('key_rejected'));
});

test('the old tenant key may not go for a header in which one key is another, one is missing, or an earlier shard key was lost', () => {
  const [from, to] = [randomBytes(32), randomBytes(32)];
  const header = parseHeader(createHeader(from, 1, scope), scope);
  const moved = moveHeader(header, from, to, 2, scope);
  const other = renewHeaderKeys(moved, ['clip'], to, scope).header;
  const { clip: _lost, ...rest } = moved.keys;
  const rekeyed = renewHeaderKeys(header, ['shard-000'], from, scope).header;
  const { previous: _forgotten, ...forgetful } = moveHeader(rekeyed, from, to, 2, scope);
  for (const [before, after] of [
    [header, other],
    [header, { ...moved, keys: rest }],
    [rekeyed, forgetful],
  ] as const) {
    expect(() => requireSameKeys(before, from, after, to, scope)).toThrow(refused('vault_corrupt'));
  }
});
