import { createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gcmEncrypt } from '../../../../shared/crypto/aes-256-gcm.ts';
import { deriveKeys, type EnvelopeContext, type EnvelopeKey, encodeAad } from '../../../../shared/crypto/envelope.ts';
import { openEnvelope } from '../../../../shared/crypto/open-envelope.ts';
import { PURPOSES, type Purpose } from '../../../../shared/crypto/purposes.ts';
import { sealEnvelope } from '../../../../shared/crypto/seal-envelope.ts';

const rejected = expect.objectContaining({ code: 'envelope_rejected', message: 'A sealed record does not open', details: {} });

const dataKey = (bytes = randomBytes(32)): EnvelopeKey => ({ id: 'cek_a', version: 1, holds: 'data', bytes });
const context: EnvelopeContext = { org: 'acme', tenant: 'hall', customer: 'cus_1', record: 'fac_1', model: 'fr_feature' };
const outcome = (open: () => unknown): unknown => {
  try {
    return open();
  } catch (error) {
    return error;
  }
};

describe('envelope v1', () => {
  test('known answers: the format may never change', () => {
    const random = (size: number): Buffer => Buffer.from(Array.from({ length: size }, (_, index) => index));
    const data = dataKey(Buffer.alloc(32, 0x42));
    const envelope = sealEnvelope(data, 'face', context, Buffer.from('a face'), random);
    expect(envelope.toString('hex')).toBe(KNOWN_FACE);
    expect(openEnvelope(data, 'face', context, envelope).toString()).toBe('a face');

    const shard: EnvelopeKey = { id: 'shard-017', version: 0x01020304, holds: 'keys', bytes: Buffer.alloc(32, 0x17) };
    const owner = { org: 'acme', tenant: 'hall', customer: 'cus_1', record: 'cek_a/1' };
    expect(sealEnvelope(shard, 'customer-key', owner, Buffer.alloc(32, 0xcc), random).toString('hex')).toBe(KNOWN_CUSTOMER_KEY);
  });

  test('the layout is the documented one, byte by byte', () => {
    const key = dataKey();
    const plaintext = Buffer.from('twelve bytes');
    const envelope = sealEnvelope(key, 'profile', context, plaintext);
    const n = key.id.length;
    expect(envelope.length).toBe(77 + n + plaintext.length + 16);
    expect(envelope.toString('latin1', 0, 4)).toBe('SGEV');
    expect([envelope[4], envelope[5], envelope.readUInt16BE(6), envelope[8]]).toEqual([1, 1, 0x10, n]);
    expect(envelope.toString('latin1', 9, 9 + n)).toBe('cek_a');
    expect(envelope.readUInt32BE(9 + n)).toBe(1);
    const salt = envelope.subarray(13 + n, 45 + n);
    // HKDF written out by RFC 5869, so that this does not lean on the code that it checks.
    const prk = createHmac('sha256', salt).update(key.bytes).digest();
    let block = Buffer.alloc(0);
    let output = Buffer.alloc(0);
    for (let counter = 1; output.length < 76; counter += 1) {
      block = createHmac('sha256', prk)
        .update(Buffer.concat([block, Buffer.from('securegate/v1/profile'), Buffer.from([counter])]))
        .digest();
      output = Buffer.concat([output, block]);
    }
    expect(envelope.subarray(45 + n, 77 + n).toString('hex')).toBe(output.subarray(44, 76).toString('hex'));
  });

  test('opens to what was sealed, whatever the content', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.string({ unit: 'binary', maxLength: 40 }), (plaintext, record) => {
        const key = dataKey();
        const here = { ...context, record };
        expect(openEnvelope(key, 'face', here, sealEnvelope(key, 'face', here, plaintext)).equals(plaintext)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('every flipped bit is refused, with one and the same error', () => {
    const key = dataKey();
    const envelope = sealEnvelope(key, 'face', context, Buffer.from('some face'));
    for (let bit = 0; bit < envelope.length * 8; bit += 1) {
      const changed = Buffer.from(envelope);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(
        outcome(() => openEnvelope(key, 'face', context, changed)),
        `bit ${bit}`,
      ).toEqual(rejected);
    }
  });

  test('every truncation and every extension is refused', () => {
    const key = dataKey();
    const envelope = sealEnvelope(key, 'face', context, Buffer.from('some face'));
    for (let length = 0; length < envelope.length; length += 1) {
      expect(
        outcome(() => openEnvelope(key, 'face', context, envelope.subarray(0, length))),
        `${length} bytes`,
      ).toEqual(rejected);
    }
    expect(outcome(() => openEnvelope(key, 'face', context, Buffer.concat([envelope, Buffer.alloc(1)])))).toEqual(rejected);
  });

  test.each<[string, EnvelopeContext]>([
    ['org', { ...context, org: 'acmf' }],
    ['tenant', { ...context, tenant: 'halm' }],
    ['customer', { ...context, customer: 'cus_2' }],
    ['record', { ...context, record: 'fac_2' }],
    ['model', { ...context, model: 'other' }],
    ['no model', { org: 'acme', tenant: 'hall', customer: 'cus_1', record: 'fac_1' }],
    ['ids swapped', { ...context, customer: 'fac_1', record: 'cus_1' }],
    ['a boundary moved', { ...context, org: 'acmeh', tenant: 'all' }],
  ])('is bound to its context: %s', (_, other) => {
    const key = dataKey();
    const envelope = sealEnvelope(key, 'face', context, Buffer.from('some face'));
    expect(outcome(() => openEnvelope(key, 'face', other, envelope))).toEqual(rejected);
  });

  test('no two different contexts are taken for each other', () => {
    const id = fc.string({ unit: fc.constantFrom('a', 'b', '/', '\0', '\u0001'), minLength: 1, maxLength: 3 });
    const contexts = fc.record({ org: id, tenant: id, customer: id, record: id, model: id });
    fc.assert(
      fc.property(contexts, contexts, (one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other));
        const key = dataKey();
        expect(outcome(() => openEnvelope(key, 'face', other, sealEnvelope(key, 'face', one, Buffer.from('x'))))).toEqual(rejected);
      }),
      { numRuns: 200 },
    );
  });

  test('is bound to purpose, key, key id and key version', () => {
    const key = dataKey();
    const envelope = sealEnvelope(key, 'face', context, Buffer.from('some face'));
    const others: [EnvelopeKey, Purpose][] = [
      [key, 'profile'],
      [{ ...key, id: 'cek_b' }, 'face'],
      [{ ...key, id: 'cek_a2' }, 'face'],
      [{ ...key, version: 2 }, 'face'],
      [dataKey(), 'face'],
    ];
    for (const [other, purpose] of others) expect(outcome(() => openEnvelope(other, purpose, context, envelope))).toEqual(rejected);
  });

  test('whatever is different, and of whichever purpose: the failure is one and the same', () => {
    const different = <Value>(one: fc.Arbitrary<Value>, not: (value: Value) => boolean): fc.Arbitrary<Value> =>
      one.filter((value) => !not(value));
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 });
    const purposes = Object.keys(PURPOSES) as Purpose[];
    fc.assert(
      fc.property(
        fc.constantFrom(...purposes),
        fc.constantFrom('org', 'tenant', 'customer', 'record', 'model', 'purpose', 'id', 'version', 'bytes', 'bit' as const),
        fc.gen(),
        (purpose, what, gen) => {
          const { holds } = PURPOSES[purpose];
          const key: EnvelopeKey = { ...dataKey(), holds };
          const envelope = sealEnvelope(key, purpose, context, randomBytes(32));
          let [otherKey, otherPurpose, otherContext, otherEnvelope] = [key, purpose, context, envelope];
          if (what === 'purpose') {
            otherPurpose = gen(() => different(fc.constantFrom(...purposes), (one) => one === purpose || PURPOSES[one].holds !== holds));
          } else if (what === 'id') {
            otherKey = { ...key, id: gen(() => different(fc.stringMatching(/^[!-~]{1,64}$/), (id) => id === key.id)) };
          } else if (what === 'version') {
            otherKey = {
              ...key,
              version: gen(() => different(fc.integer({ min: 1, max: 0xffffffff }), (version) => version === key.version)),
            };
          } else if (what === 'bytes') {
            otherKey = { ...key, bytes: Buffer.from(gen(() => fc.uint8Array({ minLength: 32, maxLength: 32 }))) };
          } else if (what === 'bit') {
            const bit = gen(() => fc.nat(envelope.length * 8 - 1));
            otherEnvelope = Buffer.from(envelope);
            otherEnvelope[bit >> 3] = (otherEnvelope[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          } else {
            otherContext = { ...context, [what]: gen(() => different(text, (id) => id === context[what])) };
          }
          expect(outcome(() => openEnvelope(otherKey, otherPurpose, otherContext, otherEnvelope))).toEqual(rejected);
        },
      ),
      // A smaller example of what differs would say no more.
      { numRuns: 500, endOnFailure: true },
    );
  });

  // A million of them: npm run bench:vault.
  test('no salt and no nonce comes twice in a hundred thousand envelopes of one key', () => {
    const key = dataKey();
    const seen = new Set<string>();
    for (let count = 0; count < 100_000; count += 1) {
      const salt = sealEnvelope(key, 'face', context, Buffer.alloc(8)).subarray(13 + key.id.length, 45 + key.id.length);
      const derived = deriveKeys(key, salt, 'face');
      seen.add(salt.toString('latin1')).add(derived.nonce.toString('latin1'));
      derived.wipe();
    }
    expect(seen.size).toBe(200_000);
  }, 120_000);

  test('unknown versions and suites are refused', () => {
    const key = dataKey();
    const envelope = sealEnvelope(key, 'face', context, Buffer.from('some face'));
    for (const offset of [4, 5]) {
      for (const value of [0, 2, 255]) {
        const changed = Buffer.from(envelope);
        changed[offset] = value;
        expect(outcome(() => openEnvelope(key, 'face', context, changed))).toEqual(rejected);
      }
    }
  });

  test('a commitment to another key is refused although the tag fits', () => {
    const key = dataKey();
    const envelope = sealEnvelope(key, 'face', context, Buffer.from('some face'));
    const header = Buffer.from(envelope.subarray(0, 77 + key.id.length));
    const derived = deriveKeys(key, header.subarray(-64, -32), 'face');
    header.fill(0, header.length - 32);
    const forged = Buffer.concat([header, gcmEncrypt(derived.key, derived.nonce, encodeAad(header, context), Buffer.from('some face'))]);
    expect(outcome(() => openEnvelope(key, 'face', context, forged))).toEqual(rejected);
  });

  test('a key that wraps keys never encrypts data, and the other way round', () => {
    const wrapping: EnvelopeKey = { ...dataKey(), holds: 'keys' };
    expect(() => sealEnvelope(wrapping, 'face', context, Buffer.from('x'))).toThrow(RangeError);
    expect(() => sealEnvelope(dataKey(), 'customer-key', context, Buffer.from('x'))).toThrow(RangeError);
    expect(() => openEnvelope(wrapping, 'face', context, Buffer.alloc(200))).toThrow(RangeError);
  });

  test('two envelopes of the same content have nothing in common after the prefix', () => {
    const key = dataKey();
    const [one, two] = [1, 2].map(() => sealEnvelope(key, 'face', context, Buffer.alloc(64)));
    expect(one?.subarray(18).equals(two?.subarray(18) ?? Buffer.alloc(0))).toBe(false);
    expect(one?.subarray(18, 50)).not.toEqual(two?.subarray(18, 50));
  });

  test('derived keys are wiped', () => {
    const derived = deriveKeys(dataKey(), Buffer.alloc(32), 'face');
    expect(derived.key.some((byte) => byte !== 0)).toBe(true);
    derived.wipe();
    for (const secret of [derived.key, derived.nonce, derived.commitment]) expect(secret.every((byte) => byte === 0)).toBe(true);
  });

  test('the codes of the purposes are for ever', () => {
    expect(Object.entries(PURPOSES).map(([name, { code, holds }]) => [name, code, holds])).toEqual([
      ['header-key', 1, 'keys'],
      ['customer-key', 2, 'keys'],
      ['cell-key', 3, 'keys'],
      ['signing-key', 4, 'keys'],
      ['transport-key', 8, 'keys'],
      ['held-leases', 7, 'keys'],
      ['profile', 16, 'data'],
      ['consent', 17, 'data'],
      ['face', 18, 'data'],
      ['sighting', 19, 'data'],
      ['face-picture', 20, 'data'],
      ['record', 21, 'data'],
      ['outbox-item', 22, 'data'],
    ]);
  });
});

// Made by an implementation of its own (Python: hmac, hashlib and the cryptography package's AES-GCM) from the layout in envelope.ts.
const KNOWN_FACE =
  '53474556010100120563656b5f6100000001000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fe8f579ef55af2ef80177' +
  'aa7cc861d8697146da0f635f8a10518a1f2a160491b8c40fe0e65a280aa8ff027e92284b40167a9e49a04781';
const KNOWN_CUSTOMER_KEY =
  '53474556010100020973686172642d30313701020304000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f3ed2788e258c' +
  '65cd8be8813223d9a5253953bd2f679e924c6ce65ef37f05dd33e10ab79bbf792535b4f3d3b9a969b4f5833f14e5fd261aaf30fbe82bd4caabd24a29' +
  '6b84077172a058eb870566eb1303';
