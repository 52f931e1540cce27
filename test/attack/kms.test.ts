import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { killDuring } from '../helpers/kill-during.ts';
import { adminSet, signAssignment, signSet, TestDevice, type TestKms, TestSigner } from '../helpers/kms.ts';
import { type TestOrg, testOrg } from '../helpers/kms-org.ts';
import { hasSoftHsm, SO_PIN, USER_PIN } from '../helpers/soft-hsm.ts';

const refused = (code: string): unknown => expect.objectContaining({ code });
const HALL = { org: 'acme', tenant: 'hall' };

let org: TestOrg;
let kms: TestKms;
let admin: TestSigner;
let safe: TestSigner[];

async function prepared(limits: object = {}): Promise<void> {
  org = await testOrg('softhsm', limits);
  ({ kms, admin, safe } = org);
}

const enrolled = (): Promise<TestDevice> => org.enrolled();
const fetch = (device: TestDevice, epoch = 1, tenant = 'hall'): Promise<Buffer> => device.fetchTek(kms.client, 'acme', tenant, epoch);

describe.skipIf(!hasSoftHsm)('the KMS on SoftHSM2 (skipped where it is not installed)', () => {
  beforeEach(() => prepared({ epochsPerOrg: 1000 }));

  describe('a tenant key goes to nobody else than a device that is', () => {
    test('trusted, assigned and asking itself: then it gets the key, and any of them the same', async () => {
      const [one, two] = [await enrolled(), await enrolled()];
      const key = await fetch(one);
      expect(key).toHaveLength(32);
      expect(await fetch(two)).toEqual(key);
    });

    test('assigned: a trusted device without an assignment, or with one to another tenant, gets nothing', async () => {
      const device = new TestDevice();
      await kms.trustDevice(device);
      await expect(fetch(device)).rejects.toThrow(refused('assignment_rejected'));
      await kms.client.call('createEpoch', { org: 'acme', tenant: 'club', epoch: 1 });
      await kms.client.call('assign', { assignment: await signAssignment(admin, await device.claims('acme', 'club')) });
      await fetch(device, 1, 'club');
      await expect(fetch(device)).rejects.toThrow(refused('assignment_rejected'));
    });

    test('trusted: an admin alone cannot enrol a device whose key the security officer did not register', async () => {
      const device = new TestDevice();
      await kms.client.call('assign', { assignment: await signAssignment(admin, await device.claims('acme', 'hall')) });
      await expect(fetch(device)).rejects.toThrow(refused('device_untrusted'));
      await kms.trustDevice(device);
      await fetch(device);
      await kms.officer({ do: 'remove', fingerprint: device.fingerprint });
      await expect(fetch(device)).rejects.toThrow(refused('device_untrusted'));
    });

    test('not denied: a denied device never comes back, not even with a new assignment', async () => {
      const device = await enrolled();
      await fetch(device);
      await kms.client.call('denyDevice', { device: device.id });
      await expect(fetch(device)).rejects.toThrow(refused('device_denied'));
      await expect(
        kms.client.call('assign', { assignment: await signAssignment(admin, await device.claims('acme', 'hall')) }),
      ).rejects.toThrow(refused('device_denied'));
      await kms.stop();
      await kms.start();
      await expect(fetch(device)).rejects.toThrow(refused('device_denied'));
    });
  });

  describe('an assignment', () => {
    let device: TestDevice;
    beforeEach(async () => {
      device = new TestDevice();
      await kms.trustDevice(device);
    });

    const assign = async (signer: TestSigner, change: object = {}, typ?: string): Promise<unknown> =>
      await kms.client.call('assign', {
        assignment: await signAssignment(signer, { ...(await device.claims('acme', 'hall')), ...change }, typ),
      });

    test('of a key that is not pinned is refused, be it the operator of the cloud', async () => {
      await expect(assign(new TestSigner())).rejects.toThrow(refused('assignment_rejected'));
      await expect(assign(safe[0] as TestSigner), 'a recovery key is no admin key').rejects.toThrow(refused('assignment_rejected'));
    });

    test('of another org does not count here', async () => {
      const theirs = new TestSigner();
      const set = adminSet('rival', 1, [theirs], safe);
      await kms.client.call('pinAdmins', { org: 'rival', signed: await signSet(set, [theirs]) });
      await expect(assign(theirs)).rejects.toThrow(refused('assignment_rejected'));
      await expect(assign(theirs, { org: 'nobody' })).rejects.toThrow(refused('admins_missing'));
    });

    test('that is forged, unsigned, of another type, expired, from the future or with any claim more or less is refused', async () => {
      const token = await signAssignment(admin, await device.claims('acme', 'hall'));
      const [header, payload, signature] = token.split('.');
      const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()) as object;
      const other = Buffer.from(JSON.stringify({ ...claims, tenant: 'club' })).toString('base64url');
      const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'securegate-assignment+jwt', kid: await admin.thumbprint() })).toString(
        'base64url',
      );
      for (const forged of [
        `${header}.${other}.${signature}`,
        `${none}.${payload}.`,
        `${header}.${payload}.${'A'.repeat(86)}`,
        'x',
        '..',
        '',
      ]) {
        await expect(kms.client.call('assign', { assignment: forged }), forged).rejects.toThrow(refused('assignment_rejected'));
      }
      const now = Math.floor(Date.now() / 1000);
      await expect(assign(admin, {}, 'JWT')).rejects.toThrow(refused('assignment_rejected'));
      await expect(assign(admin, { aud: 'somebody-else' })).rejects.toThrow(refused('assignment_rejected'));
      await expect(assign(admin, { exp: now - 1 })).rejects.toThrow(refused('assignment_rejected'));
      await expect(assign(admin, { iat: now + 3600, exp: now + 7200 })).rejects.toThrow(refused('assignment_rejected'));
      await expect(assign(admin, { extra: 1 })).rejects.toThrow(refused('assignment_rejected'));
      for (const claim of ['aud', 'jti', 'iat', 'exp', 'tenant', 'sub', 'wrap', 'cnf']) {
        await expect(assign(admin, { [claim]: undefined }), claim).rejects.toThrow(refused('assignment_rejected'));
      }
      await assign(admin);
    });

    test('counts once: after its end, it cannot be brought back', async () => {
      const assignment = await signAssignment(admin, await device.claims('acme', 'hall'));
      await kms.client.call('assign', { assignment });
      await expect(kms.client.call('assign', { assignment })).rejects.toThrow(refused('assignment_used'));
      await fetch(device);
      await kms.client.call('endAssignment', { ...HALL, device: device.id });
      await expect(kms.client.call('assign', { assignment })).rejects.toThrow(refused('assignment_used'));
      await expect(fetch(device)).rejects.toThrow(refused('assignment_rejected'));
    });

    test('takes the place of the one before, with its keys', async () => {
      await assign(admin);
      await fetch(device);
      await assign(admin, { wrap: new TestDevice().fingerprint });
      await expect(fetch(device)).rejects.toThrow(refused('device_untrusted'));
    });

    test('ends with its admin: when his key is pinned no more, what he signed does not hold', async () => {
      await assign(admin);
      await fetch(device);
      const heir = new TestSigner();
      await kms.client.call('pinAdmins', { org: 'acme', signed: await signSet(adminSet('acme', 2, [heir], safe), [admin]) });
      await expect(fetch(device)).rejects.toThrow(refused('assignment_rejected'));
      await assign(heir);
      await fetch(device);
    });
  });

  describe('a request', () => {
    let device: TestDevice;
    beforeEach(async () => {
      device = await enrolled();
    });
    const send = (request: string): Promise<unknown> => kms.client.call('exportTek', { request });

    test('is answered once, and only in answer to a challenge', async () => {
      const { token } = await device.request(kms.client, 'acme', 'hall', 1);
      await send(token);
      await expect(send(token)).rejects.toThrow(refused('export_rejected'));
      const made = await device.request(kms.client, 'acme', 'hall', 1, { nonce: 'A'.repeat(43) });
      await expect(send(made.token)).rejects.toThrow(refused('export_rejected'));
    });

    test('of somebody else in the name of the device is refused', async () => {
      const { token } = await device.request(kms.client, 'acme', 'hall', 1, {}, new TestSigner());
      await expect(send(token)).rejects.toThrow(refused('export_rejected'));
    });

    test('in the name of another device, whose assignment is there, is refused', async () => {
      const victim = await enrolled();
      const { token } = await device.request(kms.client, 'acme', 'hall', 1, { sub: victim.id });
      await expect(send(token)).rejects.toThrow(refused('export_rejected'));
    });

    test('with anything changed, more or less in it is refused', async () => {
      for (const change of [{ hpke: undefined }, { epoch: 0 }, { epoch: '1' }, { more: 1 }, { tenant: 'HALL' }, { aud: 'x' }]) {
        const { token } = await device.request(kms.client, 'acme', 'hall', 1, change);
        await expect(send(token), JSON.stringify(change)).rejects.toThrow(refused('export_rejected'));
      }
      const { token } = await device.request(kms.client, 'acme', 'hall', 1);
      const [header, payload, signature] = token.split('.');
      await expect(send(`${header}.${payload}A.${signature}`)).rejects.toThrow(refused('export_rejected'));
    });

    test('with a one-use key of small order, which would seal to everybody, is refused', async () => {
      const { token } = await device.request(kms.client, 'acme', 'hall', 1, { hpke: Buffer.alloc(32).toString('base64url') });
      await expect(send(token)).rejects.toThrow(refused('export_rejected'));
    });

    test('for an epoch that is not there is refused', async () => {
      await expect(fetch(device, 2)).rejects.toThrow(refused('epoch_not_found'));
    });
  });

  describe('admin keys', () => {
    const pin = async (set: ReturnType<typeof adminSet>, signers: TestSigner[], typ?: string): Promise<unknown> =>
      await kms.client.call('pinAdmins', { org: set.org, signed: await signSet(set, signers, typ) });

    test('are changed by nobody but the set before, or its recovery quorum', async () => {
      const thief = new TestSigner();
      const stolen = adminSet('acme', 2, [thief], safe);
      const [first, second] = safe as [TestSigner, TestSigner];
      await expect(pin(stolen, [thief])).rejects.toThrow(refused('admins_rejected'));
      await expect(pin(stolen, [thief, first]), 'one key of the safe').rejects.toThrow(refused('admins_rejected'));
      await expect(pin(stolen, [first, first]), 'the same one twice').rejects.toThrow(refused('admins_rejected'));
      await expect(pin(stolen, [admin], 'JWT'), 'signed for something else').rejects.toThrow(refused('admins_rejected'));
      expect(await kms.client.call('getAdmins', { org: 'acme' })).toEqual(adminSet('acme', 1, [admin], safe));
      const next = adminSet('acme', 2, [new TestSigner()], safe);
      await pin(next, [first, second]);
      expect(await kms.client.call('getAdmins', { org: 'acme' })).toEqual(next);
    });

    test('of one admin alone, where two are wanted, are not enough', async () => {
      const second = new TestSigner();
      await pin(adminSet('acme', 2, [admin, second], safe, 2), [admin]);
      const alone = adminSet('acme', 3, [admin], safe);
      await expect(pin(alone, [admin])).rejects.toThrow(refused('admins_rejected'));
      await pin(alone, [admin, second]);
    });

    test('go forward by one version: an old set cannot be pinned again, and one of another org not at all', async () => {
      const heir = new TestSigner();
      const first = adminSet('acme', 1, [admin], safe);
      await expect(pin(first, [admin])).rejects.toThrow(refused('admins_rejected'));
      await expect(pin(adminSet('acme', 3, [heir], safe), [admin])).rejects.toThrow(refused('admins_rejected'));
      await expect(
        kms.client.call('pinAdmins', { org: 'acme', signed: await signSet(adminSet('rival', 2, [heir], safe), [admin]) }),
      ).rejects.toThrow(refused('admins_rejected'));
      await pin(adminSet('acme', 2, [heir], safe), [admin]);
      await expect(pin(adminSet('acme', 3, [admin], safe), [admin])).rejects.toThrow(refused('admins_rejected'));
    });

    test('of a first set have to show that somebody holds each of them', async () => {
      const [one, two] = [new TestSigner(), new TestSigner()];
      const set = adminSet('rival', 1, [one, two], safe);
      await expect(pin(set, [one])).rejects.toThrow(refused('admins_rejected'));
      await pin(set, [one, two]);
    });
  });

  describe('what was destroyed stays so', () => {
    test('an epoch after the move to the next', async () => {
      const device = await enrolled();
      const old = await fetch(device);
      await kms.client.call('createEpoch', { ...HALL, epoch: 2 });
      await expect(kms.client.call('destroyEpoch', { ...HALL, epoch: 2 }), 'the newest').rejects.toThrow(refused('conflict'));
      await kms.client.call('acknowledgeMove', { token: await device.movedTo('acme', 'hall', 2) });
      const before = Date.now();
      const { state, from } = await kms.client.call('destroyEpoch', { ...HALL, epoch: 1 });
      expect(state).toBe('unrecoverable');
      expect(from, 'the days of backups are added').toBeGreaterThanOrEqual(before + 7 * 86_400_000);
      expect(await kms.client.call('destroyEpoch', { ...HALL, epoch: 1 }), 'asked for again').toEqual({ state, from });
      await expect(fetch(device, 1)).rejects.toThrow(refused('cell_gone'));
      await expect(kms.client.call('createEpoch', { ...HALL, epoch: 1 })).rejects.toThrow(refused('cell_gone'));
      expect(await fetch(device, 2)).not.toEqual(old);
    });

    test('a tenant: its id is never used again', async () => {
      const device = await enrolled();
      await kms.client.call('createEpoch', { ...HALL, epoch: 2 });
      await kms.client.call('destroyTenant', HALL);
      const epochs = await kms.client.call('listEpochs', HALL);
      expect(epochs.map(({ state }) => state)).toEqual(['destroyed', 'destroyed']);
      await expect(fetch(device, 2)).rejects.toThrow(refused('tenant_destroyed'));
      await expect(kms.client.call('createEpoch', { ...HALL, epoch: 3 })).rejects.toThrow(refused('tenant_destroyed'));
      await expect(
        kms.client.call('assign', { assignment: await signAssignment(admin, await new TestDevice().claims('acme', 'hall')) }),
      ).rejects.toThrow(refused('tenant_destroyed'));
    });

    test('a tenant whose destruction was begun, although the KMS was killed over it: the next start finishes it', async () => {
      let resumed = 0;
      for (let round = 0; round < 10 && resumed === 0; round += 1) {
        const tenant = `club-${round}`;
        for (const epoch of [1, 2, 3, 4, 5, 6]) await kms.client.call('createEpoch', { org: 'acme', tenant, epoch });
        const destroying = Promise.allSettled([kms.client.call('destroyTenant', { org: 'acme', tenant })]);
        const asked = async (): Promise<number> => (await kms.audit()).filter(({ operation }) => operation === 'destroyTenant').length;
        await expect.poll(asked, { interval: 1 }).toBeGreaterThan(round);
        await kms.stop('SIGKILL');
        await destroying;
        await kms.start();
        resumed += Number(/"resumed":(\d+)/.exec(kms.log)?.[1]);
        const states = (await kms.client.call('listEpochs', { org: 'acme', tenant })).map(({ state }) => state);
        expect(new Set(states).size, 'all or nothing').toBe(1);
        expect(states).not.toContain('destroying');
      }
      expect(resumed, 'a kill fell into a destruction').toBeGreaterThan(0);
    });

    test('also with the records of the KMS restored from before, and accepted: the HSM has no key for them', async () => {
      const device = await enrolled();
      await kms.client.call('createEpoch', { ...HALL, epoch: 2 });
      const putBack = await kms.copyRecords();
      await fetch(device, 1);
      await kms.client.call('destroyTenant', HALL);
      await putBack();
      await org.acceptRecords();
      await kms.start();
      expect((await kms.client.call('listEpochs', HALL)).map(({ state }) => state)).toEqual(['ready', 'ready']);
      await expect(fetch(device, 1)).rejects.toThrow(refused('cell_gone'));
      await expect(fetch(device, 2)).rejects.toThrow(refused('cell_gone'));
    });

    test('records of before an epoch was made neither use nor destroy its cell', async () => {
      const putBackOld = await kms.copyRecords();
      await kms.client.call('createEpoch', { ...HALL, epoch: 2 });
      await kms.client.call('createEpoch', { ...HALL, epoch: 3 });
      const putBackNew = await kms.copyRecords();
      await putBackOld();
      await org.acceptRecords();
      await kms.start();
      await expect(kms.client.call('createEpoch', { ...HALL, epoch: 2 })).rejects.toThrow(refused('conflict'));
      await putBackNew();
      await org.acceptRecords();
      await kms.start();
      await fetch(await enrolled(), 3);
    });

    test('a tenant with records of before an epoch was made: its cell goes with the others', async () => {
      const device = await enrolled();
      const putBackOld = await kms.copyRecords();
      for (const epoch of [2, 3]) await kms.client.call('createEpoch', { ...HALL, epoch });
      const putBackNew = await kms.copyRecords();
      await putBackOld();
      await org.acceptRecords();
      await kms.start();
      await kms.client.call('destroyTenant', HALL);
      await putBackNew();
      await org.acceptRecords();
      await kms.start();
      for (const epoch of [1, 2, 3]) await expect(fetch(device, epoch)).rejects.toThrow(refused('cell_gone'));
    });
  });

  test('killed at any moment while it makes epochs, it has each of them whole or not at all', async () => {
    const device = await enrolled();
    let epoch = 1;
    const make = async (): Promise<void> => {
      await kms.client.call('createEpoch', { ...HALL, epoch: epoch + 1 });
      epoch += 1;
    };
    for (const at of [0, 0.2, 0.4, 0.6, 0.8]) {
      await killDuring(kms, make, at);
      const epochs = await kms.client.call('listEpochs', HALL);
      const states = epochs.map(({ state }) => state);
      const whole = states.filter((state) => state === 'ready').length;
      // The one that was under way may have been finished without an answer, or waits to be begun again.
      expect(whole - epoch).toBeOneOf([0, 1]);
      expect(states.slice(whole)).toBeOneOf([[], ['making']]);
      epoch = whole;
    }
    for (const one of [1, Math.ceil(epoch / 2), epoch]) expect(await fetch(device, one)).toHaveLength(32);
    await kms.client.call('createEpoch', { ...HALL, epoch: epoch + 1 });
  }, 120_000);

  test('a copy of its folder, and its log, hold no tenant key and no PIN', async () => {
    const device = await enrolled();
    const key = await fetch(device);
    const entries = await readdir(kms.dataDir, { recursive: true });
    const contents = await Promise.all(entries.map((name) => readFile(join(kms.dataDir, name))));
    const needles = [key, key.toString('hex'), key.toString('base64'), key.toString('base64url'), USER_PIN, SO_PIN];
    for (const content of [...contents, Buffer.from(kms.log)]) for (const needle of needles) expect(content.includes(needle)).toBe(false);
    expect(
      contents.some((content) => content.includes('acme')),
      'the search can find something',
    ).toBe(true);
    const audit = await readFile(join(kms.dataDir, 'audit.jsonl'), 'utf8');
    expect(audit).not.toContain('eyJ');
  });

  test('neither PIN is among the arguments or in the environment of the process', async () => {
    for (const file of ['cmdline', 'environ']) {
      const content = await readFile(`/proc/${kms.pid}/${file}`, 'latin1');
      expect(content.length).toBeGreaterThan(0);
      for (const pin of [USER_PIN, SO_PIN]) expect(content).not.toContain(pin);
    }
  });

  test('every call is written down with what became of it, and where the keys were', async () => {
    const device = await enrolled();
    await fetch(device);
    await expect(fetch(new TestDevice())).rejects.toThrow(refused('assignment_rejected'));
    const events = await kms.audit();
    const exports = events.filter(({ operation, phase }) => operation === 'exportTek' && phase === 'answered');
    expect(exports).toEqual([
      expect.objectContaining({ ...HALL, device: device.id, epoch: 1, outcome: 'done', hsm: expect.stringMatching(/^SoftHSM/) }),
      expect.objectContaining({ ...HALL, outcome: 'assignment_rejected' }),
    ]);
    const asked = events.filter(({ phase }) => phase === 'asked').map(({ call }) => call);
    const answered = events.filter(({ phase }) => phase === 'answered').map(({ call }) => call);
    expect(new Set(answered)).toEqual(new Set(asked));
    expect((await stat(join(kms.dataDir, 'audit.jsonl'))).mode & 0o777).toBe(0o600);
  });
});

describe.skipIf(!hasSoftHsm)('limits of the KMS itself (skipped where SoftHSM2 is not installed)', () => {
  test('hold for a device, for a tenant and for new epochs, also over a restart', async () => {
    await prepared({ exportsPerDevice: 2, exportsPerTenant: 3, epochsPerOrg: 2 });
    const [one, two] = [await enrolled(), await enrolled()];
    await fetch(one);
    await fetch(one);
    await expect(fetch(one)).rejects.toThrow(refused('rate_limited'));
    await kms.stop();
    await kms.start();
    await expect(fetch(one)).rejects.toThrow(refused('rate_limited'));
    await fetch(two);
    await expect(fetch(two)).rejects.toThrow(refused('rate_limited'));
    await kms.client.call('createEpoch', { ...HALL, epoch: 2 });
    await expect(kms.client.call('createEpoch', { ...HALL, epoch: 3 })).rejects.toThrow(refused('rate_limited'));
  });
});
