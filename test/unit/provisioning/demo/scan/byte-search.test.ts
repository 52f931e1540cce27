import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteSearch } from '../../../../../provisioning/demo/scan/byte-search.ts';

function found(search: ByteSearch, haystack: Buffer): string[] {
  const labels = new Set<string>();
  search.find(haystack, labels);
  return Array.from(labels).sort();
}

describe('ByteSearch', () => {
  test('finds exactly what Buffer.indexOf finds', () => {
    // Few different bytes, so that patterns overlap, repeat and share their beginnings.
    const bytes = (minLength: number, maxLength: number) =>
      fc.array(fc.constantFrom(0, 1, 0x80, 0xff), { minLength, maxLength }).map((values) => Buffer.from(values));
    fc.assert(
      fc.property(fc.array(bytes(4, 9), { maxLength: 12 }), bytes(0, 200), (patterns, haystack) => {
        const search = new ByteSearch();
        for (const [index, pattern] of patterns.entries()) search.add(String(index), pattern);
        const expected = patterns.flatMap((pattern, index) => (haystack.includes(pattern) ? [String(index)] : []));
        expect(found(search, haystack)).toEqual(expected.sort());
      }),
      { numRuns: 500 },
    );
  });

  test('knows its longest pattern and refuses one that is too short', () => {
    const search = new ByteSearch();
    search.add('a', Buffer.alloc(7));
    search.add('b', Buffer.alloc(5));
    expect(search.longest).toBe(7);
    expect(() => search.add('c', Buffer.alloc(3))).toThrow(RangeError);
  });
});
