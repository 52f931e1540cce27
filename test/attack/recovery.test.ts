import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { newUlid } from '../../shared/ids/ulid.ts';
import { MOST_RECOVERY_SECONDS, type Recovery } from '../../shared/lease/recovery.ts';
import { TestFleetCa } from '../helpers/fleet-ca.ts';
import { adminSet, signAssignment, signSet, TestDevice, type TestKms, TestSigner } from '../helpers/kms.ts';
import { type TestOrg, testOrg } from '../helpers/kms-org.ts';
import { noteSecret } from '../helpers/secrecy/note-secret.ts';
import { hasSoftHsm } from '../helpers/soft-hsm.ts';

const refused = (code: string): unknown => expect.objectContaining({ code });
const HALL = { org: 'acme', tenant: 'hall' };

describe.each([
  { driver: 'softhsm', there: hasSoftHsm },
  { driver: 'software', there: true },
] as const)('an HSM that is lost: $driver', ({ driver, there }) => {
  describe.skipIf(!there)('(skipped where it is not installed)', () => {
    let org: TestOrg;
    let kms: TestKms;
    let box: TestDevice;
    let tek: Buffer;

    beforeEach(async () => {
      org = await testOrg(driver);
      kms = org.kms;
      box = await org.enrolled();
      tek = await box.fetchTek(kms.client, 'acme', 'hall', 1);
    });

    const lost = async (): Promise<string[]> => (await kms.client.call('listLostKeys', { org: 'acme' })).map(({ tenant }) => tenant);
    const takeOver = async (recovery: Recovery, signers?: TestSigner[], device = box, key = tek, tenant = 'hall'): Promise<unknown> =>
      await kms.client.call('takeOver', {
        recovery: await org.signRecovery(recovery, signers),
        handOver: await device.handOver(recovery, tenant, key),
      });

    test('a box that holds a key brings it over, that one and no other: the new HSM gives the same key out, and goes on from there', async () => {
      expect(await lost()).toEqual([]);
      await expect(kms.client.call('draftRecovery', { org: 'acme' })).rejects.toThrow(refused('conflict'));
      await org.loseHsm();
      expect(await lost()).toEqual(['hall']);
      await kms.trustDevice(box);
      await expect(box.fetchTek(kms.client, 'acme', 'hall', 1)).rejects.toThrow(refused('cell_gone'));
      const [another, short] = [randomBytes(32), tek.subarray(0, 16)];
      noteSecret('key in the place of a tenant key', another);
      const first = await org.draft();
      await expect(takeOver(first, undefined, box, another)).rejects.toThrow(refused('tek_rejected'));
      await expect(takeOver(first, undefined, box, short)).rejects.toThrow(refused('tek_rejected'));
      const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 3072 });
      const key = publicKey.export({ type: 'spki', format: 'pem' }).toString();
      const elsewhere = { ...first, transport: { ...first.transport, key } };
      await expect(takeOver(elsewhere), 'for another HSM').rejects.toThrow(refused('tek_rejected'));
      await kms.client.call('endRecovery', { org: 'acme' });
      await expect(takeOver(first), 'after its end').rejects.toThrow(refused('recovery_rejected'));
      const recovery = await org.draft();
      await expect(takeOver(first), 'to the transport key before').rejects.toThrow(refused('tek_rejected'));
      expect(await lost()).toEqual(['hall']);
      expect(await takeOver(recovery)).toEqual({ ...HALL, epoch: 1, device: box.id });
      expect(await lost()).toEqual([]);
      await kms.client.call('endRecovery', { org: 'acme' });
      await kms.stop();
      await kms.start();
      expect(await box.fetchTek(kms.client, 'acme', 'hall', 1)).toEqual(tek);
      await kms.client.call('createEpoch', { ...HALL, epoch: 2 });
      expect(await box.fetchTek(kms.client, 'acme', 'hall', 2)).not.toEqual(tek);
      const told = (await kms.audit()).filter(({ operation }) => operation === 'takeOver');
      expect(told.at(-1)).toMatchObject({ outcome: 'done', ...HALL, device: box.id, approvalId: recovery.id });
    });

    test('a draft with a key that is not in the HSM is told by the security officer, before anybody signs it', async () => {
      await org.loseHsm();
      const retired = await kms.client.call('signingKey', { use: 'audit' });
      await kms.client.call('changeKey', { use: 'audit' });
      const draft = await org.draft();
      const check = (change: object): Promise<string[]> => kms.officer({ do: 'check-recovery', recovery: { ...draft, ...change } });
      // Without an HSM there is nobody but the KMS to ask.
      if (driver === 'software') await expect(check({})).rejects.toThrow(refused('recovery_rejected'));
      else expect(await check({})).toEqual([]);
      const own = new TestSigner().jwk;
      const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 3072 });
      const key = publicKey.export({ type: 'spki', format: 'pem' }).toString();
      const lies: object[] = [
        ...['commands', 'leases', 'audit'].map((use) => ({ keys: { ...draft.keys, [use]: own } })),
        { keys: { ...draft.keys, commands: draft.keys.leases } },
        { keys: { ...draft.keys, audit: retired } },
        { transport: { ...draft.transport, key } },
        { authorities: [await (await TestFleetCa.make()).authority()] },
        { authorities: ['-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n'] },
      ];
      for (const lie of lies) await expect(check(lie), JSON.stringify(lie)).rejects.toThrow(refused('recovery_rejected'));
    });

    test('is replaced by nobody but enough of the recovery keys of this org, while what they signed holds', async () => {
      const other = [new TestSigner(), new TestSigner()];
      await kms.client.call('pinAdmins', { org: 'rival', signed: await signSet(adminSet('rival', 1, other, other), other) });
      await org.loseHsm();
      const recovery = await org.draft();
      const [one, two] = org.safe as [TestSigner, TestSigner];
      for (const [who, signers] of Object.entries({
        'the operator of the cloud': [new TestSigner(), new TestSigner()],
        'one of two': [one],
        'one of two, twice': [one, one],
        'one of two and an admin': [one, org.admin],
        'the keys of another org': other,
      })) {
        await expect(takeOver(recovery, signers), who).rejects.toThrow(refused('recovery_rejected'));
      }
      const now = recovery.iat;
      for (const [what, change] of Object.entries({
        'that has ended': { iat: now - 3600, exp: now - 1 },
        'that is from the future': { iat: now + 3600, exp: now + 7200 },
        'that holds for too long': { exp: now + MOST_RECOVERY_SECONDS + 1 },
        'of another org': { org: 'rival' },
        'of another form': { tenants: [] },
      })) {
        const signed = await org.signRecovery({ ...recovery, ...change }, [one, two]);
        const handOver = await box.handOver(recovery, 'hall', tek);
        await expect(kms.client.call('takeOver', { recovery: signed, handOver }), what).rejects.toThrow(refused('recovery_rejected'));
      }
      const signed = await signSet(recovery, [one, two]);
      const handOver = await box.handOver(recovery, 'hall', tek);
      await expect(kms.client.call('takeOver', { recovery: signed, handOver })).rejects.toThrow(refused('recovery_rejected'));
      expect(await lost()).toEqual(['hall']);
      await takeOver(recovery, [one, two]);
    });

    test('a key is taken over from nobody but a box that is assigned, and for nothing but what was signed', async () => {
      const denied = await org.enrolled();
      await kms.client.call('denyDevice', { device: denied.id });
      const elsewhere = new TestDevice();
      await kms.client.call('createEpoch', { org: 'acme', tenant: 'club', epoch: 1 });
      await kms.client.call('assign', { assignment: await signAssignment(org.admin, await elsewhere.claims('acme', 'club')) });
      await org.loseHsm();
      const recovery = await org.draft();
      const signed = await org.signRecovery(recovery);
      const refuses = async (code: string, what: string, handOver: Promise<string>): Promise<void> => {
        await expect(kms.client.call('takeOver', { recovery: signed, handOver: await handOver }), what).rejects.toThrow(refused(code));
      };
      await refuses('device_denied', 'a denied box', denied.handOver(recovery, 'hall', tek));
      await refuses('assignment_rejected', 'a box that nobody enrolled', new TestDevice().handOver(recovery, 'hall', tek));
      await refuses('assignment_rejected', 'a box of another tenant', elsewhere.handOver(recovery, 'hall', tek));
      await refuses('hand_over_rejected', 'another key than the assigned one', box.handOver(recovery, 'hall', tek, {}, new TestSigner()));
      const changes = { recovery: newUlid(Date.now()), epoch: 2, tenant: 'attic', aud: 'securegate-box' };
      for (const [name, value] of Object.entries(changes)) {
        await refuses('hand_over_rejected', `another ${name}`, box.handOver(recovery, 'hall', tek, { [name]: value }));
      }
      const forClub = await org.signRecovery({ ...recovery, tenants: [{ tenant: 'club', epoch: 1 }] });
      const handOver = await box.handOver(recovery, 'hall', tek);
      await expect(kms.client.call('takeOver', { recovery: forClub, handOver })).rejects.toThrow(refused('hand_over_rejected'));
      expect(await lost()).toEqual(['club', 'hall']);
    });

    test('counts once for a tenant, and brings no earlier epoch back', async () => {
      await kms.client.call('createEpoch', { ...HALL, epoch: 2 });
      const newer = await box.fetchTek(kms.client, 'acme', 'hall', 2);
      await org.loseHsm();
      const recovery = await org.draft();
      expect(recovery.tenants).toEqual([{ tenant: 'hall', epoch: 2 }]);
      await expect(takeOver({ ...recovery, tenants: [{ tenant: 'hall', epoch: 1 }] })).rejects.toThrow(refused('epoch_replaced'));
      const id = newUlid(Date.now());
      await kms.client.call('freezeTenant', { ...HALL, id });
      await expect(takeOver(recovery, undefined, box, newer), 'about to be shredded').rejects.toThrow(refused('tenant_frozen'));
      await kms.client.call('endFreeze', { ...HALL, id });
      await takeOver(recovery, undefined, box, newer);
      await expect(takeOver(recovery, undefined, box, newer)).rejects.toThrow(refused('conflict'));
      await org.loseHsm();
      await org.draft();
      await expect(takeOver(recovery, undefined, box, newer)).rejects.toThrow(refused('approval_used'));
    });

    test('where the records did not hear of a key that the HSM took over, as after a crash between the two, it is taken over once more', async () => {
      await org.loseHsm();
      const recovery = await org.draft();
      const putBack = await kms.copyRecords();
      await takeOver(recovery);
      await putBack();
      await org.acceptRecords();
      await kms.start();
      expect(await lost()).toEqual(['hall']);
      await takeOver(recovery);
      await kms.trustDevice(box);
      expect(await box.fetchTek(kms.client, 'acme', 'hall', 1)).toEqual(tek);
    });

    test('a tenant that was shredded stays dead, whoever signs and whoever still has its key', async () => {
      await kms.client.call('createEpoch', { org: 'acme', tenant: 'club', epoch: 1 });
      await kms.client.call('destroyTenant', HALL);
      await org.loseHsm();
      const recovery = await org.draft();
      expect(recovery.tenants).toEqual([{ tenant: 'club', epoch: 1 }]);
      const everything = { ...recovery, tenants: [...recovery.tenants, { tenant: 'hall', epoch: 1 }] };
      await expect(takeOver(everything, org.safe)).rejects.toThrow(refused('tenant_destroyed'));
      await kms.trustDevice(box);
      await expect(box.fetchTek(kms.client, 'acme', 'hall', 1)).rejects.toThrow(refused('tenant_destroyed'));
      expect(await lost()).toEqual(['club']);
    });
  });
});
