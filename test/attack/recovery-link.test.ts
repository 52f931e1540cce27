import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { LeaseRequests } from '../../cloud/fleet/requests/lease-requests.ts';
import { askRecoveries } from '../../edge/link/enrolment/ask-recoveries.ts';
import { EstClient } from '../../edge/link/enrolment/est-client.ts';
import { followRecoveries } from '../../edge/link/enrolment/follow-recoveries.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { newId } from '../../shared/ids/ids.ts';
import { newUlid } from '../../shared/ids/ulid.ts';
import { KMS_AUDIENCE } from '../../shared/lease/export-request.ts';
import { HAND_OVER_TYPE } from '../../shared/lease/hand-over.ts';
import type { Recovery, SignedRecovery } from '../../shared/lease/recovery.ts';
import { signJwt } from '../../shared/lease/sign-jwt.ts';
import { type TestBox, TestFleet } from '../helpers/fleet.ts';
import { adminSet, signSet, TestSigner } from '../helpers/kms.ts';
import { TestOrg } from '../helpers/kms-org.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { hasOpenssl, TestCa } from '../helpers/test-ca.ts';

const refused = (code: string): unknown => expect.objectContaining({ code });
const NOW = Date.now();
const IAT = Math.floor(NOW / 1000);
const thief = new TestSigner();
const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 3072 });

/** What somebody would need signatures for who wants to be believed, and to be given the keys. */
const wanted: Recovery = {
  id: newUlid(NOW, randomBytes),
  org: 'acme',
  iat: IAT,
  exp: IAT + 3600,
  tenants: [{ tenant: 'hall', epoch: 1 }],
  transport: { key: publicKey.export({ type: 'spki', format: 'pem' }).toString(), oaepHash: 'sha256' },
  keys: { commands: thief.jwk, leases: thief.jwk, audit: thief.jwk },
  authorities: ['-----BEGIN CERTIFICATE-----\nthief\n-----END CERTIFICATE-----\n'],
};

/** A fleet with a box that has pinned the keys of its org. */
async function pinned() {
  const fleet = await TestFleet.start();
  const org = new TestOrg(fleet.kms);
  const set = adminSet('acme', 2, [fleet.admin], org.safe);
  await fleet.kms.client.call('pinAdmins', { org: 'acme', signed: await signSet(set, [fleet.admin]) });
  return { fleet, org, box: await fleet.enrolled() };
}

/** Sends a box to whoever has the address of its control plane, and none of its keys. */
async function toImpostor(box: TestBox, status: number, body: string): Promise<void> {
  const { key, cert } = new TestCa(await tempFolder(), 'impostor').issue('impostor');
  const credentials = { key: readFileSync(key), cert: readFileSync(cert), requestCert: true, rejectUnauthorized: false };
  const server = createServer(credentials, (_request, response) => void response.writeHead(status).end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  box.folder.write({ ...box.folder.read(), cloud: `https://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

describe('a recovery that comes from whoever answers in the place of a control plane', () => {
  test.skipIf(!hasOpenssl)('is no recovery without the quorum, whatever else is told, and nothing else is believed', async () => {
    const { fleet, org, box } = await pinned();
    const [one, two] = org.safe as [TestSigner, TestSigner];
    const thieves = adminSet('acme', 3, [thief], [thief]);
    const byThief = await org.signRecovery(wanted, [thief]);
    const answers: Record<string, [string, { admins: unknown[]; recoveries: SignedRecovery[] }]> = {
      'by one of two': ['recovery_rejected', { admins: [], recoveries: [await org.signRecovery(wanted, [one])] }],
      'by an admin': ['recovery_rejected', { admins: [], recoveries: [await org.signRecovery(wanted, [one, fleet.admin])] }],
      'as something else': ['recovery_rejected', { admins: [], recoveries: [await signSet(wanted, [one, two])] }],
      'that has ended': [
        'recovery_rejected',
        { admins: [], recoveries: [await org.signRecovery({ ...wanted, exp: IAT - 1 }, [one, two])] },
      ],
      'of another org': [
        'recovery_rejected',
        { admins: [], recoveries: [await org.signRecovery({ ...wanted, org: 'rival' }, [one, two])] },
      ],
      'by keys of his own': ['admins_rejected', { admins: [await signSet(thieves, [thief])], recoveries: [byThief] }],
      'by keys that one alone has put in': ['admins_rejected', { admins: [await signSet(thieves, [one])], recoveries: [byThief] }],
    };
    for (const [what, [code, told]] of Object.entries(answers)) {
      await toImpostor(box, 200, JSON.stringify(told));
      const before = box.folder.read();
      const came = await askRecoveries(before, box.folder.key.open());
      await expect(followRecoveries(box.folder, came, NOW), what).rejects.toThrow(refused(code));
      expect(box.folder.read(), what).toEqual(before);
    }
    for (const body of [
      '',
      '{',
      '[]',
      '{"admins":[]}',
      JSON.stringify({ admins: [], recoveries: Array(5).fill(byThief) }),
      'x'.repeat(1e6),
    ]) {
      await toImpostor(box, 200, body);
      await expect(askRecoveries(box.folder.read(), box.folder.key.open()), body.slice(0, 20)).rejects.toThrow();
    }
  });

  test('is none to a box that has pinned no keys: the first that it is told this way could be anybody’s', async () => {
    const { org, box } = await pinned();
    box.folder.write({ ...box.folder.read(), admins: null });
    const before = box.folder.read();
    const admins = [await signSet(adminSet('acme', 1, [thief], [thief]), [thief])];
    const told = { admins, recoveries: [await org.signRecovery(wanted, [thief])] };
    await expect(followRecoveries(box.folder, told, NOW)).rejects.toThrow(refused('admins_missing'));
    expect(box.folder.read()).toEqual(before);
  });

  test('does not keep the others from being followed', async () => {
    const { org, box } = await pinned();
    const forged = await org.signRecovery(wanted, [thief]);
    const told = { admins: [], recoveries: [forged, await org.signRecovery(wanted)] };
    await expect(followRecoveries(box.folder, told, NOW)).rejects.toThrow(refused('recovery_rejected'));
    expect(box.folder.read().recoveries).toEqual(told.recoveries.slice(1));
  });
});

test('what an org has signed is told to its boxes alone, for as long as it holds', async () => {
  const { fleet, org, box } = await pinned();
  const signed = await org.signRecovery(wanted);
  expect(await fleet.ask('PUT', `/recoveries/${wanted.id}/signatures`, signed)).toMatchObject({ status: 204 });
  const key = box.folder.key.open();
  expect((await askRecoveries(box.folder.read(), key)).recoveries).toEqual([signed]);
  await followRecoveries(box.folder, await askRecoveries(box.folder.read(), key), NOW);
  expect(await askRecoveries(box.folder.read(), key), 'it has followed that').toEqual({ admins: [], recoveries: [] });
  await expect(new EstClient({ cloud: fleet.url }).recoveries(undefined)).rejects.toThrow(refused('unauthenticated'));
  await fleet.ask('POST', `/devices/${box.id}/deny`);
  await expect(askRecoveries(box.folder.read(), key)).rejects.toThrow(refused('device_denied'));
});

test('what one box hands over, no other one brings, and for no recovery that nobody has sent', async () => {
  const told: string[] = [];
  const unreachable = (): never => expect.unreachable('the KMS is not asked');
  const requests = new LeaseRequests({
    courier: { answer: async (_device, payload) => void told.push(JSON.parse(payload.toString()).error?.code) },
    kms: { call: unreachable },
    recoveries: { get: async () => Promise.reject(new SecureGateError('recovery_rejected', 'There is none')) },
    monotonic: () => performance.now(),
    logger: testLogger('cloud'),
  });
  const [device, other] = [newId('box'), newId('box')];
  const claims = { aud: KMS_AUDIENCE, sub: device, org: 'acme', tenant: 'hall', epoch: 1, iat: IAT, recovery: wanted.id, tek: 'AAAA' };
  const box = new TestSigner();
  const token = await signJwt(HAND_OVER_TYPE, claims, box.jwk, async () => Buffer.alloc(64));
  const bring = async (from: string): Promise<void> =>
    await requests.takers.requests?.(
      from,
      { org: 'acme', signingKeys: [] },
      Buffer.from(JSON.stringify({ kind: 'lease-hand-over', id: newUlid(NOW), token })),
    );
  await bring(other);
  await bring(device);
  expect(told).toEqual(['hand_over_rejected', 'recovery_rejected']);
});
