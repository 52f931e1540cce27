import { expect, test } from 'vitest';
import { allPages } from '../../../../edge/runtime/all-pages.ts';

test('reads to the end, each page from where the one before ended', async () => {
  const pages: Record<string, { items: number[]; next: string | null }> = {
    start: { items: [1, 2], next: 'a' },
    a: { items: [], next: 'b' },
    b: { items: [3], next: null },
  };
  expect(await allPages(async (cursor = 'start') => pages[cursor] ?? { items: [], next: null })).toEqual([1, 2, 3]);
});
