import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { SHRED_STATES } from '../../cloud/shred/shred-states.ts';
import { openStore, type StoreAddress } from '../../cloud/store/open-store.ts';
import { Tenants } from '../../cloud/tenants/tenants.ts';
import { newId } from '../../shared/ids/ids.ts';
import { stateOfBox } from '../../shared/receipts/state-of-box.ts';
import { type TestOrg, testOrg } from '../helpers/kms-org.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { Deaths, ShredPlace } from '../helpers/shred-place.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const PATIENTLY = { timeout: 20_000, interval: 20 };
const DAY_MS = 86_400_000;

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(() => postgres.stop());

describe.each(['SQLite', 'Postgres'])('shreds of tenants, on %s', (database) => {
  async function begin(): Promise<{ org: TestOrg; place: ShredPlace; address: StoreAddress }> {
    const org = await testOrg('software');
    const address = database === 'Postgres' ? { postgres: await postgres.database() } : { file: join(await tempFolder(), 'cloud.db') };
    return { org, place: await ShredPlace.make(org, address), address };
  }
  const stateOf = async (place: ShredPlace, id: string): Promise<string> => (await place.shreds.get('acme', id)).state;

  test('take two people, freeze first, and destroy when the time to cancel is over', async () => {
    const { org, place } = await begin();
    await place.tenant('club');
    const exp = Math.floor(Date.now() / 1000) + 10 * 86_400;
    const { box } = await place.box('club', { exp });
    const device = await org.enrolled();
    await org.assign(device, { tenant: 'club', exp });
    const [ada, bea] = [newId('user'), newId('user')];
    const { id } = await place.shreds.create('acme', place.shreds.newId(), ada, { tenant: 'club', graceMinutes: 60 });
    await expect(place.shreds.create('acme', place.shreds.newId(), ada, { tenant: 'club', graceMinutes: 0 })).rejects.toMatchObject({
      code: 'conflict',
    });

    // The same person is one, however often; a program is nobody.
    for (const by of [ada, ada])
      expect(await place.shreds.approve('acme', id, by)).toMatchObject({ state: 'requested', approvals: [{ by: ada }] });
    await expect(place.shreds.approve('acme', id, newId('service'))).rejects.toMatchObject({ code: 'approver_not_person' });
    await expect(place.shreds.approve('other', id, bea)).rejects.toMatchObject({ code: 'shred_not_found' });
    await place.look();
    await device.fetchTek(org.kms.client, 'acme', 'club', 1);
    expect(await place.shreds.approve('acme', id, bea)).toMatchObject({ state: 'approved' });

    await place.look();
    expect(await place.shreds.get('acme', id)).toMatchObject({
      state: 'frozen',
      frozenAt: expect.any(String),
      destroyedAt: null,
      boxes: [],
    });
    await expect(device.fetchTek(org.kms.client, 'acme', 'club', 1)).rejects.toMatchObject({ code: 'tenant_frozen' });
    place.ledger.at += 3_000_000;
    await place.look();
    expect(await stateOf(place, id)).toBe('frozen');
    place.ledger.at += 700_000;
    await place.look();
    expect(await stateOf(place, id)).toBe('telling');
    await expect(place.shreds.cancel('acme', id)).rejects.toMatchObject({ code: 'shred_settled' });
    await expect(device.fetchTek(org.kms.client, 'acme', 'club', 1)).rejects.toMatchObject({ code: 'tenant_destroyed' });
    const { db } = place.ledger.store;
    expect(await db.selectFrom('tenants').select('state').where('id', '=', 'club').execute()).toEqual([{ state: 'shredded' }]);
    expect(await db.selectFrom('hostnames').selectAll().where('tenant', '=', 'club').execute(), 'its host names are free').toEqual([]);
    await expect(place.tenant('club'), 'its id is not').rejects.toMatchObject({ code: 'conflict' });

    // One box does it when it connects; the other, which is never seen again, loses the tenant with its lease.
    const boxes = async (): Promise<Record<string, unknown>> =>
      Object.fromEntries(
        (await place.shreds.get('acme', id)).boxes.map(({ device: name, state, because }) => [name, `${state} ${because}`]),
      );
    expect(await boxes()).toEqual({ [box.id]: 'pending lease_end', [device.id]: 'pending lease_end' });
    await place.ledger.transport.connect(box.id);
    await expect.poll(boxes, PATIENTLY).toEqual({ [box.id]: 'erased ack', [device.id]: 'pending lease_end' });
    await place.look();
    expect(await stateOf(place, id)).toBe('telling');
    place.ledger.at += DAY_MS;
    await place.look();
    expect(await boxes(), 'a software keystore says no more than this').toEqual({
      [box.id]: 'erased ack',
      [device.id]: 'erased lease_end',
    });
    expect(await place.shreds.get('acme', id)).toMatchObject({ state: 'done', settledAt: expect.any(String), unrecoverableFrom: null });
    await expect(place.shreds.cancel('acme', id)).rejects.toMatchObject({ code: 'shred_settled' });
  }, 60_000);

  test('are taken back as long as nothing is destroyed, and then asked for anew', async () => {
    const { org, place } = await begin();
    await place.tenant('club');
    const device = await org.enrolled();
    await org.assign(device, { tenant: 'club' });
    const id = await place.approved('club', 60);
    await place.look();
    await expect(device.fetchTek(org.kms.client, 'acme', 'club', 1)).rejects.toMatchObject({ code: 'tenant_frozen' });
    expect(await place.shreds.cancel('acme', id)).toMatchObject({ state: 'cancelling' });
    await place.look();
    expect(await place.shreds.cancel('acme', id)).toMatchObject({ state: 'cancelled' });
    await device.fetchTek(org.kms.client, 'acme', 'club', 1);
    await expect(place.shreds.approve('acme', id, newId('user'))).rejects.toMatchObject({ code: 'shred_settled' });
    expect(await stateOf(place, await place.approved('club'))).toBe('approved');
  }, 60_000);

  test('of two who approve at the same moment neither is overlooked, and without the two-person rule one is enough', async () => {
    const { place } = await begin();
    for (let round = 0; round < 8; round += 1) {
      await place.tenant(`club-${round}`);
      const { id } = await place.shreds.create('acme', place.shreds.newId(), newId('user'), { tenant: `club-${round}`, graceMinutes: 0 });
      await Promise.all([newId('user'), newId('user')].map((by) => place.shreds.approve('acme', id, by)));
      expect(await stateOf(place, id)).toBe('approved');
    }
    await place.tenant('shed', { twoPersonRule: false });
    const { id } = await place.shreds.create('acme', place.shreds.newId(), newId('user'), { tenant: 'shed', graceMinutes: 0 });
    expect(await place.shreds.approve('acme', id, newId('user'))).toMatchObject({ state: 'approved', approvalsNeeded: 1 });
  }, 60_000);

  test('the two-person rule of a tenant is turned on by one person, and off by nobody, also by two changes at a moment', async () => {
    const { org, place } = await begin();
    const tenants = new Tenants(place.ledger.store.db, org.kms.client, Date.now);
    await place.tenant('club');
    await place.tenant('shed', { twoPersonRule: false });
    const { policies } = await tenants.get('acme', 'club');
    const [on, off] = [policies, { ...policies, twoPersonRule: false, sightingsDays: 1 }];
    const refused = expect.objectContaining({ code: 'two_person_rule_stays' });
    await expect(tenants.change('acme', 'club', { name: 'x', policies: off })).rejects.toEqual(refused);
    expect(await tenants.get('acme', 'club'), 'nothing of it is changed').toMatchObject({ name: 'club', version: 1, policies: on });
    expect(await tenants.change('acme', 'club', { policies: { ...on, sightingsDays: 1 } })).toMatchObject({
      policies: { sightingsDays: 1 },
    });

    expect(await tenants.change('acme', 'shed', { policies: off }), 'it was off').toMatchObject({ policies: off });
    await Promise.allSettled([on, off, off].map((changed) => tenants.change('acme', 'shed', { policies: changed })));
    expect((await tenants.get('acme', 'shed')).policies.twoPersonRule).toBe(true);
    await expect(tenants.change('acme', 'shed', { policies: off })).rejects.toEqual(refused);
  }, 60_000);

  test('killed between any two steps, end as they would have without', async () => {
    const { place } = await begin();
    for (let at = 0, lived = false; !lived; at += 1) {
      const tenant = `club-${at}`;
      await place.tenant(tenant);
      const { box, deeds } = await place.box(tenant);
      const id = await place.approved(tenant);
      const deaths = new Deaths();
      deaths.left = at;
      lived = await place.look(deaths).then(
        () => true,
        () => false,
      );
      expect(SHRED_STATES).toContain(await stateOf(place, id));
      await place.look();
      await place.ledger.transport.connect(box.id);
      await expect.poll(() => deeds.done, PATIENTLY).toEqual([`shred ${tenant}`]);
      const done = async (): Promise<string> => {
        await place.look();
        return await stateOf(place, id);
      };
      await expect.poll(done, PATIENTLY).toBe('done');
      expect(await place.shreds.get('acme', id), `step ${at}`).toMatchObject({
        reason: null,
        boxes: [{ device: box.id, state: 'erased', because: 'ack', receipt: expect.any(String) }],
      });
      if (lived) expect(at, 'it died before each step').toBeGreaterThan(10);
    }
  }, 120_000);

  test('killed between any two steps of a cancellation, leave the tenant as it was', async () => {
    const { org, place } = await begin();
    const device = await org.enrolled();
    for (let at = 0, lived = false; !lived; at += 1) {
      const tenant = `club-${at}`;
      await place.tenant(tenant);
      await org.assign(device, { tenant });
      const id = await place.approved(tenant, 60);
      if (at % 2 === 0) await place.look();
      await place.shreds.cancel('acme', id);
      const deaths = new Deaths();
      deaths.left = Math.floor(at / 2);
      lived = await place.look(deaths).then(
        () => true,
        () => false,
      );
      await place.look();
      expect(await stateOf(place, id)).toBe('cancelled');
      await device.fetchTek(org.kms.client, 'acme', tenant, 1);
    }
  }, 60_000);

  test('are asked for anew on a ledger that has forgotten them: the KMS and the boxes have not', async () => {
    const { place, address } = await begin();
    await place.tenant('club');
    const { box, deeds } = await place.box('club');
    await place.approved('club');
    await place.look();
    await place.ledger.transport.connect(box.id);
    await expect.poll(() => deeds.done, PATIENTLY).toEqual(['shred club']);
    const store = await openStore(address);
    onTestFinished(() => store.close());
    for (const table of ['shred_boxes', 'shred_approvals', 'shreds', 'commands'] as const) await store.db.deleteFrom(table).execute();
    await store.db.updateTable('tenants').set({ state: 'active' }).execute();
    const again = await place.approved('club');
    await place.look();
    await expect.poll(() => deeds.done, PATIENTLY).toEqual(['shred club', 'shred club']);
    await expect
      .poll(async () => {
        await place.look();
        return await stateOf(place, again);
      }, PATIENTLY)
      .toBe('done');
  }, 60_000);

  test('a customer is erased on every box that ever had the tenant', async () => {
    const { place } = await begin();
    await place.tenant('club');
    const [one, two] = [await place.box('club'), await place.box('club')];
    const by = newId('user');
    const customers = [newId('customer'), newId('customer')];
    const { id } = await place.erasures.create('acme', 'club', place.erasures.newId(), by, customers);
    await place.look();
    await place.ledger.transport.connect(one.box.id);
    await expect.poll(() => one.deeds.done, PATIENTLY).toEqual(['erase in club']);
    const states = async (): Promise<string[]> => (await place.erasures.get('acme', id)).boxes.map(({ state }) => state).toSorted();
    await expect.poll(states, PATIENTLY).toEqual(['erased', 'pending']);
    // What has waited for two hours for a box that is away is looked at once a minute.
    const settledAfter = async (ms: number): Promise<string | null> => {
      place.ledger.at += ms;
      await place.look();
      return (await place.erasures.get('acme', id)).settledAt;
    };
    expect(await settledAfter(2 * 3_600_000)).toBeNull();
    await place.ledger.transport.connect(two.box.id);
    await expect.poll(states, PATIENTLY).toEqual(['erased', 'erased']);
    expect(await settledAfter(59_999)).toBeNull();
    expect(await settledAfter(1)).toEqual(expect.any(String));
    expect(await place.erasures.get('acme', id)).toMatchObject({ customers });
  }, 60_000);
});

test('how far a tenant is gone from a box', () => {
  const hsm = { unrecoverableFrom: 1000 };
  const memory = { enforcement: 'memory', leaseEndsAt: 500, erasedAt: null } as const;
  expect(stateOfBox(memory, null, 9999)).toEqual({ state: 'pending', unrecoverableFrom: null, because: null });
  expect(stateOfBox(memory, hsm, 499)).toEqual({ state: 'pending', unrecoverableFrom: 1000, because: 'hsm_horizon' });
  expect(stateOfBox(memory, hsm, 500)).toEqual({ state: 'erased', unrecoverableFrom: 1000, because: 'hsm_horizon' });
  expect(stateOfBox(memory, hsm, 1000)).toEqual({ state: 'unrecoverable', unrecoverableFrom: 1000, because: 'hsm_horizon' });
  expect(stateOfBox({ ...memory, erasedAt: 100 }, { unrecoverableFrom: 50 }, 100)).toMatchObject({
    state: 'unrecoverable',
    because: 'ack',
  });
  expect(stateOfBox({ ...memory, erasedAt: 700 }, { unrecoverableFrom: 50 }, 700)).toMatchObject({
    unrecoverableFrom: 500,
    because: 'lease_end',
  });
  // A file that opens for as long as anybody likes: neither the end of the lease nor the HSM says anything.
  const software = { ...memory, enforcement: 'software' } as const;
  expect(stateOfBox(software, hsm, 9999)).toEqual({ state: 'pending', unrecoverableFrom: null, because: null });
  expect(stateOfBox({ ...software, erasedAt: 100 }, hsm, 9999)).toEqual({ state: 'erased', unrecoverableFrom: null, because: 'ack' });
  // A software keystore promises nothing.
  expect(stateOfBox({ ...memory, erasedAt: 100 }, { unrecoverableFrom: null }, 9999)).toMatchObject({
    state: 'erased',
    unrecoverableFrom: null,
  });
});
