import { createPublicKey } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt, type JWK } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { keyHash } from '../../cloud/fleet/pki/key-hash.ts';
import { openAppliance } from '../../edge/appliance/open-appliance.ts';
import { commandExecutors } from '../../edge/box/command-executors.ts';
import { heldKeys } from '../../edge/box/held-keys.ts';
import { Leases } from '../../edge/box/leases.ts';
import { Shredder } from '../../edge/box/shredder.ts';
import { Tenants } from '../../edge/box/tenants.ts';
import { parseConfig } from '../../edge/config/load-config.ts';
import { Link } from '../../edge/link/link.ts';
import { SocketLeaseCarrier } from '../../edge/link/socket-lease-carrier.ts';
import { systemClock } from '../../edge/runtime/clock.ts';
import { tenantFiles } from '../../edge/vault/client.ts';
import type { Order } from '../../shared/fleet/command.ts';
import { newId } from '../../shared/ids/ids.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import { testOrg } from '../helpers/kms-org.ts';
import { leasedBox } from '../helpers/leased-box.ts';
import { LedgerPlace } from '../helpers/ledger-place.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const LOGGER = createLogger('test', { level: 'silent' });
const PATIENTLY = { timeout: 60_000, interval: 50 };

test('a box with real vaults under leases does what the control plane tells it to', async () => {
  const org = await testOrg('software', { exportsPerDevice: 1000 });
  const leased = await leasedBox(org);
  await leased.assign();
  const place = await LedgerPlace.make(org.kms.client, { file: join(await tempFolder(), 'cloud.db') });
  place.at = Date.now();
  place.known.set(leased.id, {
    org: 'acme',
    signingKeys: [keyHash(createPublicKey({ key: leased.device.signingKey as JWK, format: 'jwk' }))],
  });

  const config = parseConfig(leased.config());
  const appliance = openAppliance(config.dataDir);
  onTestFinished(() => appliance.close());
  const tenants = new Tenants({
    config,
    appliance: () => appliance,
    clock: systemClock,
    logger: LOGGER,
    onOpen: async () => undefined,
    onClose: async () => undefined,
    waits: () => new BackOff(600_000, 600_000),
  });
  onTestFinished(() => tenants.stop());
  const leases = new Leases({ tenants, carrier: new SocketLeaseCarrier(org.kms.socket), random: () => 0.5, logger: LOGGER });
  onTestFinished(() => leases.stop());
  const shredder = new Shredder({ config, appliance: () => appliance, tenants, leases, holders: [], clock: systemClock, logger: LOGGER });
  const commandKeys = [await org.kms.client.call('signingKey', { use: 'commands' })];
  const link: Link = new Link({
    device: leased.id,
    uplink: place.transport.uplink(leased.id),
    commandKeys: () => commandKeys,
    journal: appliance.commands,
    executors: commandExecutors({ leases, tenants, shredder, sayHello: () => link.sayHello() }),
    sign: (type, claims) => leased.device.sign(type, claims),
    key: leased.device.signingKey,
    keys: () => heldKeys(leases, tenants),
    now: place.now,
    waits: () => new BackOff(10, 100),
    parts: [],
    logger: LOGGER,
  });
  onTestFinished(() => link.stop());
  await tenants.start(new AbortController().signal);
  await leases.start();
  await expect.poll(() => tenants.get(org.tenant).state, PATIENTLY).toBe('ready');
  await link.start();
  await place.transport.connect(leased.id);

  const told = async (order: Order): Promise<{ id: string; state: string; reason: string | null }> => {
    const id = await place.give(leased.id, order);
    await expect.poll(() => place.stateOf(id), PATIENTLY).toMatch(/SUCCEEDED|FAILED|REJECTED/);
    return await place.ledger.commands.get('acme', id);
  };
  const { tenant } = org;
  const renewedAt = async (): Promise<string | null> => (await leases.get(tenant)).renewedAt;

  const first = await renewedAt();
  await expect.poll(() => Date.now(), PATIENTLY).toBeGreaterThan(Date.parse(first ?? '') + 1000);
  expect(await told({ kind: 'renew-lease', body: { tenant } })).toMatchObject({ state: 'SUCCEEDED', reason: null });
  expect(await renewedAt()).not.toBe(first);

  expect(await told({ kind: 'revoke-lease', body: { tenant } })).toMatchObject({ state: 'SUCCEEDED' });
  expect(tenants.get(tenant)).toMatchObject({ state: 'failed', reason: 'lease_revoked' });
  expect(tenants.get('north').state).toBe('ready');
  expect(await told({ kind: 'sync', body: {} })).toMatchObject({ state: 'SUCCEEDED' });
  const keys = async (): Promise<unknown> =>
    JSON.parse((await place.store.db.selectFrom('links').select('keys').where('device', '=', leased.id).executeTakeFirstOrThrow()).keys);
  await expect.poll(keys, PATIENTLY).toEqual([]);

  expect(await told({ kind: 'renew-lease', body: { tenant } })).toMatchObject({ state: 'SUCCEEDED' });
  expect(tenants.get(tenant).state).toBe('ready');
  expect(await told({ kind: 'sync', body: {} })).toMatchObject({ state: 'SUCCEEDED' });
  await expect.poll(keys, PATIENTLY).toEqual([{ org: org.org, tenant, epoch: 1, endsAt: expect.any(Number) }]);

  const states: string[] = [];
  for (const id of [tenant, 'north']) tenants.vault(id).onStateChange((state) => states.push(`${id} ${state}`));
  expect(await told({ kind: 'restart-tenant', body: { tenant: 'north' } })).toMatchObject({ state: 'SUCCEEDED' });
  expect(states).toEqual(['north stopped', 'north starting', 'north ready']);
  // The key of the other lived in the memory of the process that ended: it waits for a new lease, which comes by itself.
  expect(await told({ kind: 'restart-tenant', body: { tenant } })).toMatchObject({ state: 'SUCCEEDED' });
  await expect.poll(() => tenants.get(tenant).state, PATIENTLY).toBe('ready');

  expect(await told({ kind: 'restart-tenant', body: { tenant: 'nowhere' } })).toMatchObject({
    state: 'FAILED',
    reason: 'tenant_not_found',
  });
  expect(await told({ kind: 'renew-lease', body: { tenant: 'north' } })).toMatchObject({ state: 'FAILED', reason: 'lease_not_used' });

  // Of two customers whom the control plane names, this box knows one.
  const vault = tenants.vault(tenant);
  const consent = { noticeVersion: '1', purpose: 'entry', givenAt: '2026-01-01T00:00:00.000Z', expiresAt: '2099-01-01T00:00:00.000Z' };
  const { customerId } = await vault.enrolCustomer({ profile: { name: 'Grace' }, consent, faces: [] });
  const removedBy = async (order: Order): Promise<unknown> => {
    const { id, state } = await told(order);
    expect(state).toBe('SUCCEEDED');
    const { items } = await place.ledger.receipts.list('acme', { command: id, limit: 1 });
    return decodeJwt(items[0]?.token ?? '').removed;
  };
  const [shred, nothing] = ['01KAMV8Z0000000000000000CC', { keyFiles: 0, dataFiles: 0, bytes: 0, tpmCounter: false }];
  const customers = [customerId, newId('customer')];
  const erase: Order = { kind: 'erase-customers', body: { tenant, erasure: shred, customers } };
  expect(await removedBy(erase)).toEqual({ ...nothing, customers: 1 });
  await expect(vault.getCustomer(customerId)).rejects.toMatchObject({ code: 'customer_not_found' });

  const [key, files] = [join(leased.keyDir, 'leases', tenant), tenantFiles(leased.dataDir, tenant).folder];
  expect([existsSync(key), existsSync(files)]).toEqual([true, true]);
  const removed = await removedBy({ kind: 'shred-tenant', body: { org: org.org, tenant, shred } });
  expect(removed).toMatchObject({ customers: 0, keyFiles: expect.any(Number), bytes: expect.any(Number) });
  expect([existsSync(key), existsSync(files)]).toEqual([false, false]);
  expect(tenants.list().map(({ id, state }) => `${id} ${state}`)).toEqual(['north ready']);
  expect(await told({ kind: 'renew-lease', body: { tenant } })).toMatchObject({ state: 'FAILED', reason: 'tenant_shredded' });
  expect(await removedBy(erase), 'nobody is left there').toEqual({ ...nothing, customers: 0 });
  expect(await told({ kind: 'sync', body: {} })).toMatchObject({ state: 'SUCCEEDED' });
  await expect.poll(keys, PATIENTLY).toEqual([]);
}, 120_000);
