import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatKmsReference } from '../../../../../cloud/kms/config/format-reference.ts';

test('the reference page is that of the schema, and every field says what it means', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../../cloud/kms/config/REFERENCE.md'), 'utf8');
  expect(page, 'node cloud/kms/config/format-reference.ts > cloud/kms/config/REFERENCE.md').toBe(formatKmsReference());
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  expect(
    rows.filter((row) => row.startsWith('| `hsm.driver` | ')),
    'both forms of `hsm` are told',
  ).toHaveLength(2);
  expect(rows.filter((row) => row.endsWith('|  |') || row.includes('undefined'))).toEqual([]);
});
