import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { followRecovery } from '../../../../../edge/link/enrolment/follow-recovery.ts';
import { LinkFolder } from '../../../../../edge/link/enrolment/link-folder.ts';
import type { Enrolment } from '../../../../../shared/fleet/enrolment.ts';
import { newId } from '../../../../../shared/ids/ids.ts';
import { newUlid } from '../../../../../shared/ids/ulid.ts';
import { RECOVERY_TYPE, type Recovery } from '../../../../../shared/lease/recovery.ts';
import { adminSet, signSet, TestSigner } from '../../../../helpers/kms.ts';
import { tempFolder } from '../../../../helpers/temp-folder.ts';

const NOW = Date.UTC(2026, 10, 22);
const safe = [new TestSigner(), new TestSigner(), new TestSigner()];
const [before, after] = [new TestSigner().jwk, new TestSigner().jwk];
const authority = (name: string): string => `-----BEGIN CERTIFICATE-----\n${name}\n-----END CERTIFICATE-----\n`;

const recovery: Recovery = {
  id: newUlid(NOW, randomBytes),
  org: 'acme',
  iat: NOW / 1000,
  exp: NOW / 1000 + 3600,
  tenants: [{ tenant: 'hall', epoch: 1 }],
  transport: { key: '-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----\n', oaepHash: 'sha1' },
  keys: { commands: after, leases: after, audit: after },
  authorities: [authority('new')],
};

async function enrolled(change: Partial<Enrolment> = {}): Promise<LinkFolder> {
  const folder = new LinkFolder(await tempFolder(), undefined);
  folder.make();
  folder.write({
    version: 1,
    device: newId('box'),
    org: 'acme',
    name: 'rack',
    state: 'active',
    mqtt: null,
    commandKeys: [before],
    leaseKeys: [before],
    auditKeys: [before],
    keyChanges: [],
    recoveries: [],
    cloud: 'https://cloud.example:8761',
    certificate: authority('box'),
    authorities: [authority('old')],
    fingerprint: 'x',
    admins: adminSet('acme', 1, [new TestSigner()], safe),
    ...change,
  });
  return folder;
}

test('a box believes another HSM beside the one before, once the recovery keys of its org have signed that', async () => {
  const folder = await enrolled();
  const signed = await signSet(recovery, safe.slice(1), RECOVERY_TYPE);
  for (const _time of ['once', 'again']) {
    expect(await followRecovery(folder, signed, NOW)).toEqual(recovery);
    const { commandKeys, leaseKeys, auditKeys, authorities } = folder.read();
    expect([commandKeys, leaseKeys, auditKeys]).toEqual([
      [after, before],
      [after, before],
      [after, before],
    ]);
    expect(authorities).toEqual([authority('new'), authority('old')]);
  }
});

test('otherwise it believes what it believed', async () => {
  const folder = await enrolled();
  const told = folder.read();
  for (const signers of [[], safe.slice(2), [new TestSigner(), new TestSigner()]]) {
    const signed = await signSet(recovery, signers, RECOVERY_TYPE);
    await expect(followRecovery(folder, signed, NOW)).rejects.toThrow(expect.objectContaining({ code: 'recovery_rejected' }));
  }
  const signed = await signSet(recovery, safe, RECOVERY_TYPE);
  await expect(followRecovery(folder, signed, NOW + 3_600_000)).rejects.toThrow(expect.objectContaining({ code: 'recovery_rejected' }));
  expect(folder.read()).toEqual(told);
});

test('a box that was never told the keys of its org believes nobody', async () => {
  const folder = await enrolled({ admins: null });
  const signed = await signSet(recovery, safe, RECOVERY_TYPE);
  await expect(followRecovery(folder, signed, NOW)).rejects.toThrow(expect.objectContaining({ code: 'admins_missing' }));
});

test('an earlier recovery leads nowhere any more: the HSM to which it leads is lost, too', async () => {
  const folder = await enrolled();
  const sign = async (change: Partial<Recovery>) => await signSet({ ...recovery, ...change }, safe, RECOVERY_TYPE);
  await followRecovery(folder, await sign({}), NOW);
  const known = folder.read();
  const key = '-----BEGIN PUBLIC KEY-----\nxyz\n-----END PUBLIC KEY-----\n';
  const another = new TestSigner().jwk;
  const earlier = {
    ...{ id: newUlid(NOW - 1000, randomBytes), iat: NOW / 1000 - 1, keys: { commands: another, leases: another, audit: another } },
    transport: { ...recovery.transport, key },
  };
  for (const signed of [await sign(earlier), await sign({ ...earlier, iat: recovery.iat })]) {
    await expect(followRecovery(folder, signed, NOW)).rejects.toThrow(expect.objectContaining({ code: 'recovery_rejected' }));
  }
  expect(folder.read()).toEqual(known);
});

test('a key that the next HSM has changed since does not count again when its recovery comes once more, or another one of that HSM', async () => {
  const folder = await enrolled();
  const signed = await signSet(recovery, safe, RECOVERY_TYPE);
  await followRecovery(folder, signed, NOW);
  const changed = new TestSigner().jwk;
  folder.write({ ...folder.read(), commandKeys: [changed, after, before] });
  await followRecovery(folder, signed, NOW);
  const more = { ...recovery, id: newUlid(NOW + 1000, randomBytes), iat: NOW / 1000 + 1, tenants: [{ tenant: 'club', epoch: 1 }] };
  await followRecovery(folder, await signSet(more, safe, RECOVERY_TYPE), NOW);
  expect(folder.read()).toMatchObject({ commandKeys: [changed, after, before], leaseKeys: [after, before] });
  expect(folder.read().recoveries).toHaveLength(2);
});
