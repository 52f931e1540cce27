// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the samples are source text
import { expect, test } from 'vitest';
import { findInterpolatedSql } from '../../../.ci/check-sql.mjs';

test.each([
  'db.prepare(`select * from faces where id = ${id}`);',
  'db.prepare(statement + id);',
  "const sql = 'select * from ' + table;",
  "const sql = 'delete from faces where id = ' + id + ' and tenant = ' + tenant;",
  'const sql = `\n  INSERT INTO faces VALUES (${id})`;',
  'db.pragma(`rekey = ${key}`);',
  'const sql = `drop table ${name}`;',
])('refuses %j', (text) => {
  expect(findInterpolatedSql('x.ts', text)).toHaveLength(1);
});

test.each([
  "db.prepare('select * from faces where id = ?').get(id);",
  'db.prepare(`select *\n  from faces`);',
  'const line = `delete ${file} by hand`;',
  'const line = `select ${n} people`;',
  "const path = 'a' + b;",
  '/x=(\\d+)/.exec(`${text}`);',
])('lets %j through', (text) => {
  expect(findInterpolatedSql('x.ts', text)).toEqual([]);
});
