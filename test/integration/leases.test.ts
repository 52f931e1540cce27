import { existsSync, readdirSync } from 'node:fs';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parseConfig } from '../../edge/config/load-config.ts';
import { Daemon } from '../../edge/daemon.ts';
import { SocketLeaseCarrier } from '../../edge/link/socket-lease-carrier.ts';
import { systemClock } from '../../edge/runtime/clock.ts';
import type { VaultClient } from '../../edge/vault/client.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { LeaseAnswer } from '../../shared/lease/lease-answer.ts';
import type { StickAnswer, StickRequest } from '../../shared/lease/stick.ts';
import { embeddedModels } from '../helpers/embedded-models.ts';
import { signApproval, TestSigner } from '../helpers/kms.ts';
import { type TestOrg, testOrg } from '../helpers/kms-org.ts';
import { type LeasedBox, leasedBox } from '../helpers/leased-box.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { hasSoftHsm } from '../helpers/soft-hsm.ts';
import { hasSoftTpm, softTpm } from '../helpers/soft-tpm.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { embeddingOf, guest, MODEL } from '../helpers/vault-guests.ts';

const refused = (code: string, reason?: string): unknown =>
  expect.objectContaining({ code, ...(reason && { details: expect.objectContaining({ reason }) }) });
/** A machine with other work to do takes its time. */
const PATIENTLY = { timeout: 60_000, interval: 50 };

/** Leases are asked for as often as a test wants. */
const software = (): Promise<TestOrg> => testOrg('software', { exportsPerDevice: 1000 });

async function startBox(box: LeasedBox, kmsSocket?: string) {
  // Nobody listens there: what counts is whether the box calls.
  const cameras = [{ id: 'door', tenant: 'hall', url: 'rtsp://127.0.0.1:1/' }];
  const config = parseConfig(box.config({ lease: { kmsKeys: box.kmsKeys, kmsSocket }, cameras }));
  const daemon = new Daemon({ config, clock: systemClock, logger: testLogger(), emit: () => undefined });
  onTestFinished(async () => expect(await daemon.stop()).toEqual([]));
  await daemon.start(new AbortController().signal);
  return daemon.port();
}

/** Asks the KMS as the box's daemon does, and gives the vault what it answers. */
async function renew(vault: VaultClient, org: TestOrg): Promise<LeaseAnswer> {
  const carrier = new SocketLeaseCarrier(org.kms.socket);
  const answer = await carrier.export(await vault.requestLease(await carrier.challenge()));
  await vault.acceptLease(answer);
  return answer;
}

/** What the KMS makes of a stick when the org's admin approves of it. */
async function answered(org: TestOrg, { requests, moved }: StickRequest): Promise<StickAnswer> {
  if (moved !== null) await org.kms.client.call('acknowledgeMove', { token: moved });
  const answers: LeaseAnswer[] = [];
  for (const request of requests) {
    const approval = await signApproval(org.admin, org.org, request);
    const answer = await org.kms.client.call('exportTek', { request, approval }).catch((error: SecureGateError) => error);
    if (!(answer instanceof SecureGateError)) answers.push(answer);
    else expect(answer.code).toMatch(/^(epoch_not_found|epoch_replaced|cell_gone)$/);
  }
  return { answers };
}

/** Why a vault that is started stays closed. */
const closed = (vault: VaultClient): Promise<unknown> =>
  vault.start().then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a box with a KMS', () => {
  beforeAll(async () => {
    await embeddedModels();
  }, 120_000);

  test('opens a tenant under a lease, renews it, closes that tenant alone with its end, and opens it again when the KMS is back', async () => {
    const org = await software();
    const leased = await leasedBox(org);
    await leased.assign(20);
    const box = await startBox(leased, org.kms.socket);
    const state = () => box.tenants.get('hall');
    await expect.poll(state, PATIENTLY).toMatchObject({ state: 'ready', reason: null });
    const camera = () => box.cameras.list('hall')[0]?.state;
    await expect.poll(camera, PATIENTLY).toBe('failed');
    expect(await box.leases.list()).toMatchObject([{ tenant: 'hall', enforcement: 'memory', epoch: 1, comes: 'kms', failure: null }]);
    const { customerId } = await box.tenants.vault('hall').enrolCustomer(guest(1));
    const first = await box.leases.get('hall');
    await expect.poll(async () => (await box.leases.get('hall')).renewedAt, PATIENTLY).not.toBe(first.renewedAt);

    await org.kms.stop('SIGKILL');
    await expect.poll(() => box.stats().warnings, PATIENTLY).toContainEqual({ tenant: 'hall', reason: 'lease_ending' });
    expect(box.tenants.get('hall').state, 'told of before it ends').toBe('ready');
    await expect.poll(state, PATIENTLY).toMatchObject({ state: 'closed', reason: 'lease_ended' });
    await expect.poll(camera, PATIENTLY).toBe('stopped');
    expect(box.stats().vaults.find(({ tenant }) => tenant === 'hall')).toMatchObject({ epoch: null, lease: null });
    expect(Date.now(), 'not before its end').toBeGreaterThanOrEqual(Date.parse(first.endsAt ?? ''));
    await expect(box.tenants.vault('hall').getCustomer(customerId)).rejects.toThrow(refused('lease_ended'));
    expect(box.health()).toContainEqual({ part: 'vaults', ready: false, reason: 'lease_ended' });
    expect(box.tenants.get('north').state).toBe('ready');
    await box.tenants.vault('north').enrolCustomer(guest(2));
    expect(box.tenants.vault('north').restarts).toBe(0);
    await expect.poll(async () => (await box.leases.get('hall')).failure, PATIENTLY).toBe('kms_unavailable');

    await org.kms.start();
    await leased.assign();
    await expect.poll(state, PATIENTLY).toMatchObject({ state: 'ready', reason: null });
    expect(await box.tenants.vault('hall').getCustomer(customerId)).toMatchObject({ customerId });
    expect(box.health()).toContainEqual({ part: 'vaults', ready: true, reason: null });
    await expect.poll(camera, PATIENTLY).toBe('failed');
  }, 240_000);

  test('closes a tenant at once when the KMS denies the box, and forgets what it held', async () => {
    const org = await software();
    const leased = await leasedBox(org);
    // Half of it is over in a moment: then the box asks again.
    await leased.assign(20);
    const box = await startBox(leased, org.kms.socket);
    await expect.poll(() => box.tenants.get('hall').state, PATIENTLY).toBe('ready');
    const { pid } = box.tenants.vault('hall');
    await org.kms.client.call('denyDevice', { device: leased.id });
    await expect.poll(() => box.tenants.get('hall'), PATIENTLY).toMatchObject({ state: 'failed', reason: 'device_denied' });
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    expect(box.tenants.get('north').state).toBe('ready');
  }, 120_000);

  test('that joins a tenant after an epoch move gets the key of the newest epoch', async () => {
    const org = await software();
    await org.kms.client.call('createEpoch', { org: org.org, tenant: org.tenant, epoch: 2 });
    await org.kms.client.call('destroyEpoch', { org: org.org, tenant: org.tenant, epoch: 1 });
    const leased = await leasedBox(org);
    await leased.assign();
    const box = await startBox(leased, org.kms.socket);
    await expect.poll(() => box.tenants.get('hall').state, PATIENTLY).toBe('ready');
    expect(await box.leases.get('hall')).toMatchObject({ epoch: 2, failure: null });
  }, 120_000);

  test('moves to the epoch that the KMS has begun and tells it; the old one goes when all boxes have moved, and takes older copies with it', async () => {
    const org = await software();
    const leased = await leasedBox(org);
    await leased.assign(3600, { lease: { seconds: 60, enforcement: 'memory' } });
    const absent = await leasedBox(org);
    await absent.assign();
    const box = await startBox(leased, org.kms.socket);
    await expect.poll(() => box.tenants.get('hall').state, PATIENTLY).toBe('ready');
    const { customerId } = await box.tenants.vault('hall').enrolCustomer(guest(1));
    const before = await readFile(join(leased.dataDir, 'tenants/hall/keyring/header.json'));
    const cell = { org: org.org, tenant: org.tenant };
    await org.kms.client.call('createEpoch', { ...cell, epoch: 2 });
    await expect.poll(async () => (await box.leases.get('hall')).epoch, PATIENTLY).toBe(2);
    const boxes = async () => (await org.kms.client.call('getMove', { ...cell, epoch: 1 })).boxes;
    await expect.poll(boxes, PATIENTLY).toContainEqual({ device: leased.id, state: 'moved' });
    expect(await boxes()).toContainEqual({ device: absent.id, state: 'waiting' });
    const search = { embeddings: [embeddingOf(1)], model: MODEL, limit: 1 };
    expect(await box.tenants.vault('hall').search(search)).toMatchObject([[{ customerId }]]);

    await expect(org.kms.client.call('destroyEpoch', { ...cell, epoch: 1 })).rejects.toEqual(refused('boxes_waiting'));
    await org.kms.client.call('denyDevice', { device: absent.id });
    expect(await org.kms.client.call('destroyEpoch', { ...cell, epoch: 1 })).toMatchObject({ state: 'erased' });
    expect(await box.tenants.vault('hall').getCustomer(customerId)).toMatchObject({ customerId });

    // A header of before the move: nobody has its key any more.
    const copy = leased.vault();
    await writeFile(join(leased.dataDir, 'tenants/hall/keyring/header.json'), before);
    await box.tenants.vault('hall').stop();
    await expect(copy.start()).rejects.toEqual(refused('lease_missing'));
    await expect(renew(copy, org)).rejects.toMatchObject({ code: expect.stringMatching(/^(cell_gone|epoch_replaced)$/) });
  }, 180_000);

  test('gives a closed tenant a lease that came on a stick', async () => {
    const org = await software();
    const leased = await leasedBox(org);
    await leased.assign();
    const box = await startBox(leased);
    expect(box.tenants.get('hall')).toMatchObject({ state: 'closed', reason: 'lease_missing' });
    const answer = await answered(org, await box.leases.request('hall'));
    expect(await box.leases.accept('hall', answer)).toMatchObject({ state: 'ready', reason: null, comes: 'stick', enforcement: 'memory' });
    await box.tenants.vault('hall').enrolCustomer(guest(1));
    await expect(box.leases.accept('hall', answer), 'once').rejects.toThrow(refused('lease_rejected', 'request'));
    await expect(box.leases.request('north')).rejects.toThrow(refused('lease_not_used'));
    await expect(box.leases.get('south')).rejects.toThrow(refused('tenant_not_found'));
  }, 120_000);

  test.each(['memory', 'software'] as const)(
    'moves to the epoch that the KMS has begun, and says so, by what travels on a stick alone (%s)',
    async (enforcement) => {
      const org = await testOrg(hasSoftHsm ? 'softhsm' : 'software', { exportsPerDevice: 1000 });
      const leased = await leasedBox(org);
      await leased.assign(3600, { lease: { seconds: 86_400, enforcement } });
      const box = await startBox(leased);
      const cell = { org: org.org, tenant: org.tenant };
      const states = async () => (await org.kms.client.call('getMove', { ...cell, epoch: 1 })).boxes;
      const first = await box.leases.request('hall');
      expect(first.moved).toBeNull();
      await box.leases.accept('hall', await answered(org, first));
      const { customerId } = await box.tenants.vault('hall').enrolCustomer(guest(1));
      const before = await readFile(join(leased.dataDir, 'tenants/hall/keyring/header.json'));

      await org.kms.client.call('createEpoch', { ...cell, epoch: 2 });
      const second = await answered(org, await box.leases.request('hall'));
      expect(second.answers).toHaveLength(2);
      await box.tenants.vault('hall').stop();
      await box.tenants
        .vault('hall')
        .start()
        .catch(() => undefined);
      expect(await box.leases.accept('hall', second)).toMatchObject({ state: 'ready', epoch: 2, newest: 2 });
      expect(await states()).toEqual([{ device: leased.id, state: 'waiting' }]);
      await expect(org.kms.client.call('destroyEpoch', { ...cell, epoch: 1 })).rejects.toEqual(refused('boxes_waiting'));

      const third = await box.leases.request('hall');
      await box.leases.accept('hall', await answered(org, third));
      expect(await states()).toEqual([{ device: leased.id, state: 'moved' }]);
      await org.kms.client.call('destroyEpoch', { ...cell, epoch: 1 });
      expect(await box.tenants.vault('hall').getCustomer(customerId)).toMatchObject({ customerId });
      expect(await box.leases.get('hall')).toMatchObject({ epoch: 2, failure: null });
      const told = box.stats().vaults.find(({ tenant }) => tenant === 'hall');
      expect(told).toMatchObject({ epoch: 2, lease: { enforcement, newest: 2, failure: null } });
      expect(box.stats().warnings).not.toContainEqual({ tenant: 'hall', reason: 'lease_ending' });

      // A header of before the move: no stick brings its key any more.
      await box.tenants.vault('hall').stop();
      await writeFile(join(leased.dataDir, 'tenants/hall/keyring/header.json'), before);
      await expect(box.tenants.vault('hall').start()).rejects.toEqual(refused('lease_missing'));
      const late = await answered(org, await box.leases.request('hall'));
      expect(late.answers.map(({ lease }) => decodeJwt(lease).epoch)).toEqual([2]);
      await expect(box.leases.accept('hall', late)).rejects.toThrow(refused('lease_missing'));
    },
    120_000,
  );

  test('that joins by a stick after an epoch move begins in the newest epoch', async () => {
    const org = await software();
    await org.kms.client.call('createEpoch', { org: org.org, tenant: org.tenant, epoch: 2 });
    await org.kms.client.call('destroyEpoch', { org: org.org, tenant: org.tenant, epoch: 1 });
    const leased = await leasedBox(org);
    await leased.assign();
    const box = await startBox(leased);
    expect(await box.leases.accept('hall', await answered(org, await box.leases.request('hall')))).toMatchObject({
      state: 'ready',
      epoch: 2,
    });
  }, 120_000);
});

describe('a vault under a lease', () => {
  test('waits in its process without one, and opens with it', async () => {
    const org = await software();
    const box = await leasedBox(org);
    await box.assign();
    const vault = box.vault();
    expect(await closed(vault)).toEqual(refused('lease_missing'));
    expect([vault.state, vault.restarts, await vault.lease()]).toEqual(['closed', 0, null]);
    await expect(vault.listCustomers({ limit: 1 })).rejects.toThrow(refused('lease_missing'));
    await renew(vault, org);
    expect([vault.state, vault.restarts]).toEqual(['ready', 0]);
    const { customerId } = await vault.enrolCustomer(guest(1));
    expect(
      readdirSync(box.keyDir).filter((name) => name.endsWith('.key')),
      'its key is in no file',
    ).toEqual([]);

    await vault.stop();
    expect(await closed(vault), 'what lives in memory ends with the process').toEqual(refused('lease_missing'));
    await renew(vault, org);
    expect(await vault.getCustomer(customerId)).toMatchObject({ customerId });
  }, 60_000);

  test('that was killed is closed until it has a new one', async () => {
    const org = await software();
    const box = await leasedBox(org);
    await box.assign();
    const vault = box.vault();
    await closed(vault);
    await renew(vault, org);
    process.kill(vault.pid ?? Number.NaN, 'SIGKILL');
    await expect.poll(() => vault.state, PATIENTLY).toBe('closed');
    await renew(vault, org);
    expect([vault.state, vault.restarts]).toEqual(['ready', 1]);
  }, 60_000);

  test('takes no answer that was given before, to another box, by another KMS, or with another key', async () => {
    const org = await software();
    const [box, other] = [await leasedBox(org), await leasedBox(org)];
    await box.assign();
    await other.assign();
    const [vault, others] = [box.vault(), other.vault()];
    await Promise.all([closed(vault), closed(others)]);
    const theirs = await renew(others, org);
    await expect(vault.acceptLease(theirs)).rejects.toThrow(refused('lease_rejected', 'device'));
    const old = await renew(vault, org);
    await expect(vault.acceptLease(old)).rejects.toThrow(refused('lease_rejected', 'request'));
    const carrier = new SocketLeaseCarrier(org.kms.socket);
    const given = await carrier.export(await vault.requestLease(await carrier.challenge()));
    await expect(vault.acceptLease({ ...given, sealed: old.sealed })).rejects.toThrow(refused('lease_rejected', 'seal'));
    await expect(vault.acceptLease({ ...given, encapsulated: old.encapsulated })).rejects.toThrow(refused('lease_rejected', 'seal'));
    await expect(vault.acceptLease({ ...given, lease: old.lease })).rejects.toThrow(refused('lease_rejected', 'request'));
    await vault.acceptLease(given);

    await vault.stop();
    await writeFile(box.kmsKeys, JSON.stringify({ keys: [new TestSigner().jwk] }));
    await closed(vault);
    await expect(renew(vault, org), 'another KMS than the pinned one').rejects.toThrow(refused('lease_rejected', 'signature'));
    expect(vault.state).toBe('closed');
  }, 60_000);

  test('of which the org lets the box keep leases in a file opens after a restart without a KMS, and says what that is worth', async () => {
    const org = await software();
    const box = await leasedBox(org);
    await box.assign(3600, { lease: { seconds: 86_400, enforcement: 'software' } });
    const vault = box.vault();
    await closed(vault);
    await renew(vault, org);
    await vault.stop();
    await org.kms.stop();
    await vault.start();
    expect(await vault.lease()).toMatchObject({ enforcement: 'software', epoch: 1 });

    await vault.revoke(new SecureGateError('device_denied', 'The box is denied'));
    expect([vault.state, vault.pid]).toEqual(['failed', undefined]);
    expect(readdirSync(join(box.keyDir, 'leases', 'hall')), 'nothing is left that opens it').toEqual(['time']);
    expect(await closed(vault)).toEqual(refused('lease_missing'));
  }, 60_000);

  test.skipIf(!hasSoftTpm)(
    "of which the box's TPM keeps the lease opens without a KMS, and not from an older disk (skipped without swtpm)",
    async () => {
      const [org, tpm] = [await software(), await softTpm()];
      const box = await leasedBox(org);
      await box.assign(3600, { lease: { seconds: 86_400, enforcement: 'tpm' } });
      const without = box.vault();
      await closed(without);
      await expect(renew(without, org), 'a box without a TPM').rejects.toThrow(refused('lease_rejected', 'enforcement'));
      await without.stop();

      const vault = box.vault(tpm.tcti);
      await closed(vault);
      await renew(vault, org);
      await vault.stop();
      const leases = join(box.keyDir, 'leases');
      const older = join(await tempFolder(), 'leases');
      await cp(leases, older, { recursive: true });
      await vault.start();
      expect(await vault.lease()).toMatchObject({ enforcement: 'tpm' });
      await renew(vault, org);
      await vault.stop();

      await rm(leases, { recursive: true });
      await cp(older, leases, { recursive: true });
      expect(await closed(vault)).toEqual(refused('lease_rolled_back'));
      expect(vault.state).toBe('closed');
      await renew(vault, org);
      expect(vault.state).toBe('ready');
    },
    120_000,
  );

  test('keeps no key of its own on the disk, and no request longer than it waits', async () => {
    const org = await software();
    const box = await leasedBox(org);
    await box.assign();
    const vault = box.vault();
    await closed(vault);
    await org.kms.client.call('createEpoch', { org: org.org, tenant: org.tenant, epoch: 2 });
    const { answers } = await answered(org, await vault.requestOnStick());
    expect(readdirSync(join(box.keyDir, 'leases', 'hall'))).toContain('request.json');
    for (const answer of answers) await vault.acceptLease(answer);
    expect(readdirSync(join(box.keyDir, 'leases', 'hall'))).toEqual(['time']);
  }, 60_000);

  test.skipIf(!hasSoftHsm)(
    'takes its key from SoftHSM2 (skipped where it is not installed)',
    async () => {
      const org = await testOrg();
      const box = await leasedBox(org);
      await box.assign();
      const vault = box.vault();
      await closed(vault);
      await renew(vault, org);
      const { customerId } = await vault.enrolCustomer(guest(1));
      expect(await vault.getCustomer(customerId)).toMatchObject({ customerId });
    },
    60_000,
  );
});

describe('the socket of the KMS', () => {
  test('that nobody answers at is told as such', async () => {
    const carrier = new SocketLeaseCarrier('/nonexistent/kms.sock');
    await expect(carrier.challenge()).rejects.toThrow(refused('kms_unavailable'));
  });
});
