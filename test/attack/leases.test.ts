import { createHash } from 'node:crypto';
import { importJWK, type JWTVerifyResult, jwtVerify } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_LEASE_SECONDS, LEASE_TYPE, leaseClaimsSchema, MOST_LEASE_SECONDS } from '../../shared/lease/lease-token.ts';
import { TestDevice } from '../helpers/kms.ts';
import { type TestOrg, testOrg } from '../helpers/kms-org.ts';
import { hasSoftHsm } from '../helpers/soft-hsm.ts';

const refused = (code: string): unknown => expect.objectContaining({ code });
const DAY = 86_400;

describe.skipIf(!hasSoftHsm)('a lease of the KMS on SoftHSM2 (skipped where it is not installed)', () => {
  let org: TestOrg;
  beforeEach(async () => {
    org = await testOrg();
  });

  /** Fetches a key and checks its lease as a box does, with the key that the KMS shows for leases. */
  async function leaseOf(device: TestDevice): Promise<JWTVerifyResult & { nonce: string; sealed: Buffer }> {
    const { client } = org.kms;
    const { token, nonce } = await device.request(client, 'acme', 'hall', 1);
    const { lease, sealed } = await client.call('exportTek', { request: token });
    const key = await importJWK(await client.call('signingKey', { use: 'leases' }), 'ES256');
    return { ...(await jwtVerify(lease, key, { algorithms: ['ES256'], typ: LEASE_TYPE, audience: 'securegate-box' })), nonce, sealed };
  }

  test('comes with each key, for this device, tenant, epoch and request, from the time of the KMS on', async () => {
    const device = await org.enrolled();
    const before = Math.floor(Date.now() / 1000);
    const { payload, nonce, sealed } = await leaseOf(device);
    const claims = leaseClaimsSchema.parse(payload);
    expect(claims).toMatchObject({ sub: device.id, org: 'acme', tenant: 'hall', epoch: 1, nonce, enforcement: 'memory' });
    expect(claims.sealed, 'no other key fits into its answer').toBe(createHash('sha256').update(sealed).digest('base64url'));
    expect(claims.iat).toBeGreaterThanOrEqual(before);
    expect(claims.iat).toBeLessThanOrEqual(Date.now() / 1000);
  });

  test('is as long and as strict as the admin signed, and never outlives the assignment', async () => {
    const now = Math.floor(Date.now() / 1000);
    const long = { exp: now + 365 * DAY, lease: { seconds: 30 * DAY, enforcement: 'tpm' } };
    const { payload } = await leaseOf(await org.enrolled(long));
    expect(payload).toMatchObject({ enforcement: 'tpm', exp: (payload.iat ?? 0) + 30 * DAY });
    const ending = await leaseOf(await org.enrolled({ exp: now + 600 }));
    expect(ending.payload.exp).toBe(now + 600);
    expect(DEFAULT_LEASE_SECONDS, 'what was asked for is longer').toBeGreaterThan(600);
  });

  test.each([
    ['nothing', undefined],
    ['no strictness', { seconds: DAY }],
    ['a strictness that nobody knows', { seconds: DAY, enforcement: 'none' }],
    ['less than a minute', { seconds: 59, enforcement: 'memory' }],
    ['more than thirty days', { seconds: MOST_LEASE_SECONDS + 1, enforcement: 'memory' }],
    ['something more', { seconds: DAY, enforcement: 'memory', more: 1 }],
  ])('cannot be had by an assignment that says %s of it', async (_what, lease) => {
    await expect(org.assign(new TestDevice(), { lease })).rejects.toThrow(refused('assignment_rejected'));
  });

  test('is signed with a key that signs nothing else', async () => {
    const { client } = org.kms;
    const keys = await Promise.all(
      (['commands', 'audit', 'ca', 'leases'] as const).map(async (use) => (await client.call('signingKey', { use })).x),
    );
    expect(new Set(keys).size).toBe(4);
  });
});
