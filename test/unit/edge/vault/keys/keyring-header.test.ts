import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { HeaderKeys } from '../../../../../edge/vault/keys/header-key.ts';
import { HEADER_KEY_NAMES, shardKeyOf } from '../../../../../edge/vault/keys/header-keys.ts';
import { createHeader, openHeader, parseHeader } from '../../../../../edge/vault/keys/keyring-header.ts';
import { newId } from '../../../../../shared/ids/ids.ts';

const scope = { org: 'acme', tenant: 'hall', box: newId('box') };
const open = (content: Buffer, tek: Buffer, owner = scope): HeaderKeys => openHeader(parseHeader(content, owner), tek, owner);
const refused = (code: string): unknown => expect.objectContaining({ code });

const looseHeader = z.looseObject({ keys: z.record(z.string(), z.looseObject({ version: z.number(), envelope: z.string() })) });
/** The header as an attacker would change it who cannot open it. */
function tamper(content: Buffer, change: (header: z.infer<typeof looseHeader>) => void): Buffer {
  const header = looseHeader.parse(JSON.parse(content.toString()));
  change(header);
  return Buffer.from(JSON.stringify(header));
}

describe('keyring header', () => {
  test('holds file keys, 256 shard keys, outbox, clip, snapshot and index seed, all different', () => {
    const tek = randomBytes(32);
    const keys = open(createHeader(tek, 1, scope), tek);
    expect(keys.size).toBe(262);
    expect([...keys.keys()]).toEqual(HEADER_KEY_NAMES);
    expect(new Set([...keys.values()].map(({ bytes }) => bytes.toString('hex'))).size).toBe(262);
  });

  test('a wrong key is refused', () => {
    expect(() => open(createHeader(randomBytes(32), 1, scope), randomBytes(32))).toThrow(refused('key_rejected'));
  });

  test.each(['org', 'tenant', 'box'] as const)("another %s's header is refused, also when its name was changed", (field) => {
    const tek = randomBytes(32);
    const other = { ...scope, [field]: field === 'box' ? newId('box') : 'other' };
    const content = createHeader(tek, 1, other);
    expect(() => open(content, tek)).toThrow(refused('key_rejected'));
    const renamed = tamper(content, (header) => Object.assign(header, { [field]: scope[field] }));
    expect(() => open(renamed, tek)).toThrow(refused('key_rejected'));
  });

  test("another epoch's header is refused, also when it claims this one and has the same key", () => {
    const tek = randomBytes(32);
    const claimed = tamper(createHeader(tek, 2, scope), (header) => Object.assign(header, { epoch: 1 }));
    expect(() => open(claimed, tek)).toThrow(refused('key_rejected'));
  });

  test('two keys exchanged are found out', () => {
    const tek = randomBytes(32);
    const content = tamper(createHeader(tek, 1, scope), ({ keys }) => {
      const { 'shard-000': first, 'shard-001': second } = keys;
      if (first && second) Object.assign(keys, { 'shard-000': second, 'shard-001': first });
    });
    expect(() => open(content, tek)).toThrow(expect.objectContaining({ code: 'vault_corrupt', details: { damaged: 2 } }));
  });

  test('a key that claims another version is found out', () => {
    const tek = randomBytes(32);
    const content = tamper(createHeader(tek, 1, scope), ({ keys }) => {
      const clip = keys.clip;
      if (clip) clip.version = 2;
    });
    expect(() => open(content, tek)).toThrow(refused('vault_corrupt'));
  });

  test('one flipped bit in one envelope is found out', () => {
    const tek = randomBytes(32);
    const content = tamper(createHeader(tek, 1, scope), ({ keys }) => {
      const snapshot = keys.snapshot;
      if (!snapshot) return;
      const envelope = Buffer.from(snapshot.envelope, 'base64');
      envelope[100] = (envelope[100] ?? 0) ^ 4;
      snapshot.envelope = envelope.toString('base64');
    });
    expect(() => open(content, tek)).toThrow(refused('vault_corrupt'));
  });

  test.each(['', 'no json', '{}', '[]'])('what is no header is damage: %j', (content) => {
    expect(() => parseHeader(Buffer.from(content), scope)).toThrow(refused('vault_corrupt'));
  });
});

test('a customer stays in his shard, and the shards fill evenly', () => {
  const id = newId('customer');
  expect(shardKeyOf(id)).toBe(shardKeyOf(id));
  expect(shardKeyOf('cus_aaaaaaaaaaaaaaaaaaaaaaaaaa')).toBe('shard-009');
  const used = new Set(Array.from({ length: 5000 }, () => shardKeyOf(newId('customer'))));
  expect(used.size).toBe(256);
});
