import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newBundleKey, openBundle, sealBundle, takeLease, wipeBundle } from '../../../../../../edge/vault/keys/lease/lease-bundle.ts';

const context = { org: 'acme', tenant: 'hall', record: 'r' };
const leases = fc.uniqueArray(
  fc.tuple(
    fc.integer({ min: 1, max: 0xffff_ffff }),
    fc.record({
      token: fc.string({ unit: 'binary', maxLength: 4096 }),
      tek: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes)),
    }),
  ),
  { selector: ([epoch]) => epoch, maxLength: 5 },
);

test('a bundle opens as what was sealed', () => {
  fc.assert(
    fc.property(leases, (entries) => {
      const key = newBundleKey();
      expect(openBundle(key, context, sealBundle(key, context, new Map(entries)))).toEqual(new Map(entries));
    }),
  );
});

test('whoever takes one lease leaves none behind', () => {
  const [one, two] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const bundle = new Map([
    [1, { token: 'a', tek: one }],
    [2, { token: 'b', tek: two }],
  ]);
  expect(takeLease(bundle, 1)).toEqual({ token: 'a', tek: Buffer.alloc(32, 1) });
  expect([bundle.size, two]).toEqual([0, Buffer.alloc(32)]);
  const rest = new Map([[1, { token: 'a', tek: one }]]);
  wipeBundle(rest);
  expect([rest.size, one]).toEqual([0, Buffer.alloc(32)]);
});
