import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatCloudReference } from '../../../../cloud/config/format-reference.ts';

test('the reference page is that of the schema, and every field says what it means', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../cloud/config/REFERENCE.md'), 'utf8');
  expect(page, 'node cloud/config/format-reference.ts > cloud/config/REFERENCE.md').toBe(formatCloudReference());
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  expect(rows.length).toBeGreaterThan(10);
  expect(rows.filter((row) => row.endsWith('|  |'))).toEqual([]);
});
