import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatJsonSchema } from '../../../../edge/config/format-json-schema.ts';
import { formatBoxReference } from '../../../../edge/config/format-reference.ts';

const folder = join(import.meta.dirname, '../../../../edge/config');
const rows = formatBoxReference()
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split(' | '));

test('the reference page is that of the schema', () => {
  expect(readFileSync(join(folder, 'REFERENCE.md'), 'utf8'), 'node edge/config/format-reference.ts > edge/config/REFERENCE.md').toBe(
    formatBoxReference(),
  );
});

test('the JSON Schema is that of the schema', () => {
  expect(readFileSync(join(folder, 'schema.json'), 'utf8'), 'node edge/config/format-json-schema.ts > edge/config/schema.json').toBe(
    formatJsonSchema(),
  );
});

test('every field says what it means', () => {
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.filter(([, , , meaning]) => meaning?.replace('|', '').trim() === '')).toEqual([]);
  expect(rows.map(([path]) => path)).toContain('| `cameras[].tiles.overlap`');
});
