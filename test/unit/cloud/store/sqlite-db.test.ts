import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStore } from '../../../../cloud/store/open-store.ts';
import { PreparedQuery } from '../../../../cloud/store/prepared-query.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const venue = (hostname: string) => ({ org: 'acme', tenant: 'hall', hostname });

test('a prepared query sees what is committed, at once, and nothing else', async () => {
  const folder = await tempFolder();
  const took: string[] = [];
  const { db, close } = await openStore({ file: join(folder, 'cloud.db') }, (outcome) => took.push(outcome));
  const orgs = new PreparedQuery(db, (from) => from.selectFrom('orgs').select('name').where('id', '=', ''));
  const org = { branding: '{}', features: '[]', plan: 'trial', jurisdiction: 'CH', key_policy: '{}', version: 1, created_at: 0 };
  expect(await orgs.all('acme')).toEqual([]);
  await db.transaction().execute(async (within) => {
    await within
      .insertInto('orgs')
      .values({ ...org, id: 'acme', name: 'Acme' })
      .execute();
    expect(await orgs.all('acme'), 'a transaction under way neither shows itself nor keeps anybody waiting').toEqual([]);
  });
  expect(await orgs.all('acme')).toEqual([{ name: 'Acme' }]);
  await db.updateTable('orgs').set({ name: 'Other' }).where('id', '=', 'acme').execute();
  expect(await orgs.all('acme')).toEqual([{ name: 'Other' }]);

  took.length = 0;
  await orgs.all('acme');
  expect(took).toEqual(['done']);
  const writing = new PreparedQuery(db, (to) => to.insertInto('hostnames').values(venue('a.acme.example')).returning('org'));
  await expect(writing.all('acme', 'hall', 'a.acme.example')).rejects.toThrow('readonly');
  expect(took).toEqual(['done', 'failed']);
  await close();
  expect(readdirSync(folder)).toEqual(['cloud.db']);
});
