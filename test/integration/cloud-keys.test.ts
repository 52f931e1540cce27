import { expect, test } from 'vitest';
import { LOCAL_OPERATOR } from '../../cloud/iam/local-operator.ts';
import { type Answer, TestCloud } from '../helpers/cloud.ts';
import { type TestOrg, testOrg } from '../helpers/kms-org.ts';

/** The control plane beside an org of the KMS whose tenant `hall` it knows as well, asked as the org's admin and as its data-protection officer. */
async function start(org: TestOrg) {
  const cloud = await TestCloud.start(org.kms);
  const operator = await cloud.issuer.token(LOCAL_OPERATOR, '');
  await cloud.ask(operator, 'POST', '/v1/orgs', { id: org.org, name: 'Acme', jurisdiction: 'CH' });
  const named = await cloud.ask(operator, 'POST', '/v1/orgs/acme/first-admin', { name: 'Ada', email: 'ada@acme.example' });
  const admin = await cloud.issuer.token(named.body.id as string, 'acme');
  await cloud.ask(admin, 'POST', '/v1/orgs/acme/tenants', { id: org.tenant, name: 'Hall' });
  const as = (token: string) => ({
    keys: (tenant = 'hall'): Promise<Answer> => cloud.ask(token, 'GET', `/v1/orgs/acme/tenants/${tenant}/keys`),
    move: (epoch: number, tenant = 'hall'): Promise<Answer> =>
      cloud.ask(token, 'POST', `/v1/orgs/acme/tenants/${tenant}/epoch-moves`, { epoch }),
  });
  const person = async (role: string): Promise<ReturnType<typeof as>> => {
    const fields = { name: role, email: `${role}@acme.example`, roles: [{ role, tenant: 'hall' }] };
    const { body } = await cloud.ask(admin, 'POST', '/v1/orgs/acme/users', fields);
    return as(await cloud.issuer.token(body.id as string, 'acme'));
  };
  return { cloud, operator: as(operator), admin: as(admin), person };
}

test('the keys of a tenant: where they are, its epochs, and how far each box has moved', async () => {
  const org = await testOrg('software');
  const [near, away, gone] = [await org.enrolled(), await org.enrolled(), await org.enrolled()];
  const { admin, person, operator } = await start(org);
  expect(await admin.keys()).toMatchObject({
    status: 200,
    body: { hsm: 'software, not an HSM', destroyHorizonDays: null, newest: 1, epochs: [{ epoch: 1, state: 'ready', move: null }] },
  });

  const dpo = await person('dpo');
  const moved = await dpo.move(2);
  expect(moved).toMatchObject({ status: 201, body: { newest: 2, epochs: [{ epoch: 1 }, { epoch: 2, state: 'ready', move: null }] } });
  await org.kms.client.call('acknowledgeMove', { token: await near.movedTo('acme', 'hall', 2) });
  await org.kms.client.call('denyDevice', { device: gone.id });
  const [{ move }] = (await admin.keys()).body.epochs as [{ move: { begunAt: string; deadline: string; boxes: object[] } }];
  expect(move.boxes).toEqual(
    [
      { device: near.id, state: 'moved' },
      { device: away.id, state: 'waiting' },
      { device: gone.id, state: 'lost' },
    ].toSorted((a, b) => (a.device < b.device ? -1 : 1)),
  );
  expect(Math.abs(Date.parse(move.deadline) - Date.parse(move.begunAt) - 30 * 86_400_000)).toBeLessThan(60_000);

  await org.kms.client.call('acknowledgeMove', { token: await away.movedTo('acme', 'hall', 2) });
  await org.kms.client.call('destroyEpoch', { org: 'acme', tenant: 'hall', epoch: 1 });
  expect((await admin.keys()).body.epochs[0]).toEqual({
    epoch: 1,
    state: 'destroyed',
    destroyedAt: expect.stringMatching(/^\d{4}-/),
    move: null,
  });

  const technician = await person('technician');
  expect(await technician.keys()).toMatchObject({ status: 200 });
  expect(await technician.move(3)).toMatchObject({ status: 403 });
  expect(await operator.keys()).toMatchObject({ status: 403 });
  expect(await operator.move(3)).toMatchObject({ status: 403 });
}, 60_000);

test('a move is made once however often it is asked for, and one epoch at a time', async () => {
  const org = await testOrg('software');
  const { admin } = await start(org);
  const answers = await Promise.all([admin.move(2), admin.move(2), admin.move(2)]);
  expect(answers.map(({ status, body }) => [status, body.newest])).toEqual([
    [201, 2],
    [201, 2],
    [201, 2],
  ]);
  expect((await org.kms.client.call('listEpochs', { org: 'acme', tenant: 'hall' })).map(({ epoch }) => epoch)).toEqual([1, 2]);
  expect(await admin.move(4)).toMatchObject({ status: 409, body: { code: 'conflict', details: { next: 3 } } });
  expect(await admin.move(1)).toMatchObject({ status: 400 });
  expect(await admin.keys('nowhere')).toMatchObject({ status: 404, body: { code: 'tenant_not_found' } });
  expect(await admin.move(2, 'nowhere')).toMatchObject({ status: 404, body: { code: 'tenant_not_found' } });
});
