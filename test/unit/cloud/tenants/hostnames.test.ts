import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openStore, type Store } from '../../../../cloud/store/open-store.ts';
import { Hostnames } from '../../../../cloud/tenants/hostnames.ts';
import { newOrgSchema, newTenantSchema } from '../../../../cloud/tenants/org.ts';
import { Orgs } from '../../../../cloud/tenants/orgs.ts';
import { Tenants } from '../../../../cloud/tenants/tenants.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

/** Two processes on one database, with an org of two tenants. */
async function twoProcesses() {
  const address = { file: join(await tempFolder(), 'cloud.db') };
  const open = async (): Promise<Store> => {
    const store = await openStore(address);
    onTestFinished(() => store.close());
    return store;
  };
  const [here, there] = [await open(), await open()];
  const { id, ...org } = newOrgSchema.parse({ id: 'acme', name: 'Acme', jurisdiction: 'CH' });
  await new Orgs(here.db, Date.now).create(id, org);
  const tenants = new Tenants(here.db, { call: async () => undefined as never }, Date.now);
  for (const name of ['hall', 'club']) {
    const { id: tenant, ...fields } = newTenantSchema.parse({ id: name, name });
    await tenants.create('acme', tenant, fields);
  }
  return { here, there, tenants };
}

test('a host name that another process moves counts as before for five seconds, and then as it is', async () => {
  const { there, tenants } = await twoProcesses();
  await tenants.change('acme', 'hall', { hostnames: ['door.example'] });
  let now = 0;
  const hostnames = new Hostnames(there.db, () => now);
  expect(await hostnames.find('door.example')).toEqual({ org: 'acme', tenant: 'hall' });
  expect(await hostnames.find('free.example')).toBeUndefined();
  await tenants.change('acme', 'hall', { hostnames: [] });
  await tenants.change('acme', 'club', { hostnames: ['door.example', 'free.example'] });
  now = 4999;
  expect(await hostnames.find('door.example')).toEqual({ org: 'acme', tenant: 'hall' });
  expect(await hostnames.find('free.example')).toBeUndefined();
  now = 5000;
  expect(await hostnames.find('door.example')).toEqual({ org: 'acme', tenant: 'club' });
  expect(await hostnames.find('free.example')).toEqual({ org: 'acme', tenant: 'club' });
});

test('a database that fails is asked again', async () => {
  const { here, there, tenants } = await twoProcesses();
  await tenants.change('acme', 'hall', { hostnames: ['door.example'] });
  const hostnames = new Hostnames(there.db, () => 0);
  await here.db.schema.alterTable('hostnames').renameTo('elsewhere').execute();
  await expect(hostnames.find('door.example')).rejects.toThrow();
  await here.db.schema.alterTable('elsewhere').renameTo('hostnames').execute();
  expect(await hostnames.find('door.example')).toEqual({ org: 'acme', tenant: 'hall' });
});

test('however many names strangers ask for, memory holds a thousand', async () => {
  const { there, tenants } = await twoProcesses();
  const hostnames = new Hostnames(there.db, () => 0);
  await hostnames.find('first.example');
  await tenants.change('acme', 'hall', { hostnames: ['first.example'] });
  await Promise.all(Array.from({ length: 999 }, (_, at) => hostnames.find(`x${at}.example`)));
  expect(await hostnames.find('first.example'), 'still as it was').toBeUndefined();
  await hostnames.find('one-more.example');
  expect(await hostnames.find('first.example'), 'asked anew').toEqual({ org: 'acme', tenant: 'hall' });
});
