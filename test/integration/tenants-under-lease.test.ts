import { existsSync } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openAppliance } from '../../edge/appliance/open-appliance.ts';
import { Leases } from '../../edge/box/leases.ts';
import { Tenants } from '../../edge/box/tenants.ts';
import { parseConfig } from '../../edge/config/load-config.ts';
import { SocketLeaseCarrier } from '../../edge/link/socket-lease-carrier.ts';
import { systemClock } from '../../edge/runtime/clock.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import { testOrg } from '../helpers/kms-org.ts';
import { type LeasedBox, leasedBox } from '../helpers/leased-box.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { guest } from '../helpers/vault-guests.ts';

const PATIENTLY = { timeout: 60_000, interval: 50 };

/** Tenants and leases as the daemon has them, on a box whose configuration declares none of those under a lease. */
async function start(box: LeasedBox, kmsSocket: string) {
  const config = parseConfig(box.config({ tenants: [{ id: 'north', org: 'acme' }] }));
  const appliance = openAppliance(config.dataDir);
  const logger = testLogger('edge');
  const nothing = async (): Promise<void> => undefined;
  const waits = (): BackOff => new BackOff(600_000, 600_000);
  const tenants = new Tenants({ config, appliance: () => appliance, clock: systemClock, logger, onOpen: nothing, onClose: nothing, waits });
  const leases = new Leases({ tenants, carrier: new SocketLeaseCarrier(kmsSocket), random: () => 0.5, logger });
  const stop = async (): Promise<void> => {
    await leases.stop();
    await tenants.stop();
    appliance.close();
  };
  onTestFinished(stop);
  await tenants.start(new AbortController().signal);
  await leases.start();
  return { tenants, leases, stop };
}

test('a tenant that comes at run time opens by its first lease, also after a restart, until nobody wants it here', async () => {
  const org = await testOrg('software', { exportsPerDevice: 1000 });
  const box = await leasedBox(org);
  await box.assign();
  const first = await start(box, org.kms.socket);
  expect(await first.tenants.add({ id: 'hall', org: 'acme', keys: 'lease' })).toMatchObject({ keys: 'lease', state: 'closed' });
  first.leases.add('hall');
  await expect.poll(() => first.tenants.get('hall').state, PATIENTLY).toBe('ready');
  const { customerId } = await first.tenants.vault('hall').enrolCustomer(guest(1));
  expect(existsSync(join(box.keyDir, 'hall.key')), 'its key is no file').toBe(false);
  await first.stop();

  const { tenants, leases } = await start(box, org.kms.socket);
  const state = (): string => tenants.get('hall').state;
  await expect.poll(state, PATIENTLY).toBe('ready');
  expect(await tenants.vault('hall').getCustomer(customerId)).toMatchObject({ customerId });

  await leases.close('hall');
  expect(tenants.get('hall')).toMatchObject({ state: 'failed', reason: 'lease_revoked' });
  expect(await leases.get('hall')).toMatchObject({ epoch: null, comes: 'kms' });
  leases.add('hall');
  await leases.renew('hall');
  expect(state()).toBe('ready');
  expect(await tenants.vault('hall').getCustomer(customerId)).toMatchObject({ customerId });
  await expect(leases.close('north')).rejects.toMatchObject({ code: 'lease_not_used' });
}, 120_000);

test('a box that comes after its epoch was destroyed opens nothing of it, changes nothing, and begins anew when somebody decides so', async () => {
  const org = await testOrg('software', { exportsPerDevice: 1000 });
  const box = await leasedBox(org);
  await box.assign();
  const first = await start(box, org.kms.socket);
  await first.tenants.add({ id: 'hall', org: 'acme', keys: 'lease' });
  first.leases.add('hall');
  await expect.poll(() => first.tenants.get('hall').state, PATIENTLY).toBe('ready');
  const { customerId } = await first.tenants.vault('hall').enrolCustomer(guest(1));
  await first.stop();
  const cell = { org: org.org, tenant: org.tenant };
  await org.kms.client.call('createEpoch', { ...cell, epoch: 2 });
  await org.kms.client.call('endAssignment', { ...cell, device: box.id });
  await org.kms.client.call('destroyEpoch', { ...cell, epoch: 1 });
  await box.assign();

  const folder = join(box.dataDir, 'tenants/hall');
  const header = await readFile(join(folder, 'keyring/header.json'));
  const { tenants, leases } = await start(box, org.kms.socket);
  await expect.poll(() => tenants.get('hall'), PATIENTLY).toMatchObject({ state: 'failed', reason: 'epoch_lost' });
  expect(leases.failureOf('hall')).toBe('epoch_lost');
  await expect(tenants.vault('hall').getCustomer(customerId)).rejects.toMatchObject({ code: 'vault_unavailable' });
  expect(await readFile(join(folder, 'keyring/header.json')), 'it is left as it is').toEqual(header);

  await rename(folder, `${folder}.lost`);
  await leases.renew('hall').catch(() => undefined);
  await expect.poll(() => tenants.get('hall').state, PATIENTLY).toBe('ready');
  expect(await leases.get('hall')).toMatchObject({ epoch: 2, failure: null });
  await expect(tenants.vault('hall').getCustomer(customerId)).rejects.toMatchObject({ code: 'customer_not_found' });
}, 120_000);
