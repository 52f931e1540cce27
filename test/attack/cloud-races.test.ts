import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, TestCloud } from '../helpers/cloud.ts';
import { CloudPlace, IN_OURS, type TestAccount } from '../helpers/cloud-place.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';

const AT_ONCE = 8;
const ROUNDS = 12;

/** Of every route that takes an ETag: where that is read, and a change. A route that is missing here fails a test. */
const VERSIONED = {
  'PATCH /v1/orgs/{org}': (_user: string) => ({ path: '/v1/orgs/ours', of: '/v1/orgs/ours', change: (name: string) => ({ name }) }),
  'PATCH /v1/orgs/{org}/plan': (_user: string) => ({
    path: '/v1/orgs/ours/plan',
    of: '/v1/orgs/ours',
    change: () => ({ plan: 'enterprise' }),
  }),
  'PATCH /v1/orgs/{org}/tenants/{tenant}': (_user: string) => ({
    path: '/v1/orgs/ours/tenants/hall',
    of: '/v1/orgs/ours/tenants/hall',
    change: (name: string) => ({ name, hostnames: [`${name}.ours.example`] }),
  }),
  'PATCH /v1/orgs/{org}/devices/{id}': (_user: string) => ({
    path: `/v1/orgs/ours/devices/${IN_OURS.devices}`,
    of: `/v1/orgs/ours/devices/${IN_OURS.devices}`,
    change: (name: string) => ({ name }),
  }),
  'PATCH /v1/orgs/{org}/tenants/{tenant}/cameras/{id}': (_user: string) => ({
    path: `/v1/orgs/ours/tenants/hall/cameras/${IN_OURS.cameras}`,
    of: `/v1/orgs/ours/tenants/hall/cameras/${IN_OURS.cameras}`,
    change: (title: string) => ({ title }),
  }),
  'PATCH /v1/orgs/{org}/users/{id}': (user: string) => ({
    path: `/v1/orgs/ours/users/${user}`,
    of: `/v1/orgs/ours/users/${user}`,
    change: (name: string) => ({ name }),
  }),
};

/** Of every route that takes an Idempotency-Key: where it is in an org, and a body under a name that nobody else has. */
const REPEATABLE = {
  'POST /v1/orgs': () => ({ path: '/v1/orgs', body: (name: string) => ({ id: name, name, jurisdiction: 'CH' }) }),
  'POST /v1/orgs/{org}/first-admin': (org: string) => ({
    path: `/v1/orgs/${org}/first-admin`,
    body: (name: string) => ({ name, email: `${name}@x.example` }),
  }),
  'POST /v1/orgs/{org}/tenants': (org: string) => ({ path: `/v1/orgs/${org}/tenants`, body: (name: string) => ({ id: name, name }) }),
  'POST /v1/orgs/{org}/tenants/{tenant}/cameras': (org: string) => ({
    path: `/v1/orgs/${org}/tenants/hall/cameras`,
    body: (slug: string) => ({ device: IN_OURS.devices, slug, url: 'rtsp://10.0.0.1/1' }),
  }),
  'POST /v1/orgs/{org}/users': (org: string) => ({
    path: `/v1/orgs/${org}/users`,
    body: (name: string) => ({ name, email: `${name}@x.example`, roles: [{ role: 'operator' }] }),
  }),
  'POST /v1/orgs/{org}/service-accounts': (org: string) => ({
    path: `/v1/orgs/${org}/service-accounts`,
    body: (name: string) => ({ name }),
  }),
  'POST /v1/orgs/{org}/commands': (org: string) => ({
    path: `/v1/orgs/${org}/commands`,
    body: (tenant: string) => ({ device: IN_OURS.devices, order: { kind: 'renew-lease', body: { tenant } } }),
  }),
  // A tenant is shredded once: what differs is how long it can be cancelled.
  'POST /v1/orgs/{org}/shreds': (org: string) => ({
    path: `/v1/orgs/${org}/shreds`,
    body: (name: string) => ({ tenant: 'club', graceMinutes: name.length }),
  }),
  'POST /v1/orgs/{org}/tenants/{tenant}/erasures': (org: string) => ({
    path: `/v1/orgs/${org}/tenants/hall/erasures`,
    body: (name: string) => ({ customers: [`cus_${(name === 'another' ? 'b' : 'a').repeat(26)}`] }),
  }),
};
/** An org that has no admin yet. */
const FRESH = 'fresh';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(() => postgres.stop());

const statusesOf = (answers: readonly Answer[]): number[] => answers.map(({ status }) => status).toSorted();
const atOnce = <Result>(work: (turn: number) => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: AT_ONCE }, (_, turn) => work(turn)));

describe.each(['SQLite', 'Postgres'])('at the same moment, on %s', (database) => {
  /** On Postgres, by two processes of the control plane in turn. */
  async function begin() {
    const place = await CloudPlace.make(database === 'Postgres' ? { postgres: await postgres.database() } : undefined);
    const clouds = [place.cloud];
    if (database === 'Postgres') clouds.push(await TestCloud.start(place.kms, place.address, { signer: place.cloud.issuer }));
    const [operator, admin] = [await place.account('', 'platform:operator'), await place.account('ours', 'org:admin')];
    const by = (turn: number): TestCloud => clouds[turn % clouds.length] ?? place.cloud;
    const masterOf = (name: string): TestAccount =>
      place.operations.find((route) => route.name === name)?.roles.includes('org:admin') ? admin : operator;
    return { place, operator, admin, by, masterOf };
  }

  test('of changes on the same version one is made', async () => {
    const { place, by, masterOf } = await begin();
    const { id } = await place.account('ours', 'reviewer');
    const routes = place.operations.filter(({ parameters }) => parameters.some(({ name }) => name === 'if-match'));
    expect(routes.map(({ name }) => name).toSorted()).toEqual(Object.keys(VERSIONED).toSorted());
    for (const [name, about] of Object.entries(VERSIONED)) {
      const { token } = masterOf(name);
      const { path, of, change } = about(id);
      for (let round = 0; round < 3; round += 1) {
        const etag = (await place.cloud.ask(token, 'GET', of)).headers.get('etag') ?? '';
        const answers = await atOnce((turn) => by(turn).ask(token, 'PATCH', path, change(`name-${round}-${turn}`), { 'if-match': etag }));
        expect(statusesOf(answers), name).toEqual([200, ...Array.from({ length: AT_ONCE - 1 }, () => 412)]);
        const made = answers.find(({ status }) => status === 200);
        expect((await place.cloud.ask(token, 'GET', of)).body, name).toEqual(made?.body);
      }
    }
  }, 60_000);

  test('changes of different fields are all made', async () => {
    const { place, operator, admin, by } = await begin();
    for (let round = 0; round < ROUNDS; round += 1) {
      const [name, plan] = [`Ours ${round}`, round % 2 === 0 ? 'enterprise' : 'standard'];
      await Promise.all([
        by(0).ask(admin.token, 'PATCH', '/v1/orgs/ours', { name }),
        by(1).ask(operator.token, 'PATCH', '/v1/orgs/ours/plan', { plan }),
        by(0).ask(admin.token, 'PATCH', '/v1/orgs/ours', { keyPolicy: { leaseSeconds: 60 + round } }),
        by(1).ask(admin.token, 'PATCH', '/v1/orgs/ours/tenants/hall', { name }),
        by(0).ask(admin.token, 'PATCH', '/v1/orgs/ours/tenants/hall', { hostnames: [`h${round}.ours.example`] }),
        by(1).ask(admin.token, 'PATCH', '/v1/orgs/ours/tenants/hall', { policies: { sightingsDays: round + 1 } }),
      ]);
      const org = await place.cloud.ask(admin.token, 'GET', '/v1/orgs/ours');
      expect(org.body).toMatchObject({ name, plan, keyPolicy: { leaseSeconds: 60 + round } });
      const tenant = await place.cloud.ask(admin.token, 'GET', '/v1/orgs/ours/tenants/hall');
      expect(tenant.body).toMatchObject({ name, hostnames: [`h${round}.ours.example`], policies: { sightingsDays: round + 1 } });
    }
  }, 60_000);

  test('admins who remove each other leave one', async () => {
    const { place, by } = await begin();
    for (let round = 0; round < ROUNDS; round += 1) {
      const org = `org-${round}`;
      await place.store.db
        .insertInto('orgs')
        .values({
          id: org,
          name: org,
          branding: '{}',
          features: '[]',
          plan: 'trial',
          jurisdiction: 'CH',
          key_policy: '{}',
          version: 1,
          created_at: 0,
        })
        .execute();
      const [one, two] = [await place.account(org, 'org:admin'), await place.account(org, 'org:admin')];
      const remove = ({ token }: TestAccount, { id }: TestAccount, turn: number): Promise<Answer> =>
        round % 2 === 0
          ? by(turn).ask(token, 'PATCH', `/v1/orgs/${org}/users/${id}`, { active: false })
          : by(turn).ask(token, 'DELETE', `/v1/orgs/${org}/users/${id}/roles/org:admin`);
      await Promise.all([remove(one, two, 0), remove(two, one, 1)]);
      const left = await Promise.all([one, two].map(({ token }) => place.cloud.ask(token, 'GET', `/v1/orgs/${org}/users`)));
      expect(left.filter(({ status }) => status === 200).length, `round ${round}`).toBeGreaterThanOrEqual(1);
    }
  }, 60_000);

  test('of first admins there is one', async () => {
    const { place, operator, by } = await begin();
    for (let round = 0; round < ROUNDS / 2; round += 1) {
      const org = `org-${round}`;
      await place.cloud.ask(operator.token, 'POST', '/v1/orgs', { id: org, name: org, jurisdiction: 'CH' });
      const answers = await atOnce((turn) =>
        by(turn).ask(operator.token, 'POST', `/v1/orgs/${org}/first-admin`, { name: 'Ada', email: `a${turn}@${org}.example` }),
      );
      expect(statusesOf(answers)).toEqual([201, ...Array.from({ length: AT_ONCE - 1 }, () => 409)]);
    }
  }, 60_000);

  test('requests under one key make one thing, and tell who repeats them which', async () => {
    const { place, operator, admin, by, masterOf } = await begin();
    await place.cloud.ask(operator.token, 'POST', '/v1/orgs', { id: FRESH, name: FRESH, jurisdiction: 'CH' });
    const routes = place.operations.filter(({ parameters }) => parameters.some(({ name }) => name === 'idempotency-key'));
    expect(routes.map(({ name }) => name).toSorted()).toEqual(Object.keys(REPEATABLE).toSorted());
    for (const [name, about] of Object.entries(REPEATABLE)) {
      const { token } = masterOf(name);
      const { path, body } = about(name.endsWith('/first-admin') ? FRESH : 'ours');
      const headers = { 'idempotency-key': `key of ${name}`.replaceAll(' ', '-') };
      const answers = await atOnce((turn) => by(turn).ask(token, 'POST', path, body('the-same'), headers));
      expect([201, 409], name).toEqual(expect.arrayContaining(statusesOf(answers)));
      const again = await by(1).ask(token, 'POST', path, body('the-same'), headers);
      expect(again.status, name).toBe(201);
      for (const { status, body: made } of answers) if (status === 201) expect(made.id, name).toBe(again.body.id);
      expect(await by(0).ask(token, 'POST', path, body('another'), headers), name).toMatchObject({
        status: 422,
        body: { code: 'idempotency_mismatch' },
      });
    }
    // Nothing but its key keeps a service account from being made twice.
    const { path, body } = REPEATABLE['POST /v1/orgs/{org}/service-accounts']('ours');
    for (let round = 0; round < ROUNDS; round += 1) {
      const headers = { 'idempotency-key': `key-of-round-${round}` };
      const ask = (turn: number): Promise<Answer> => by(turn).ask(admin.token, 'POST', path, body(`round-${round}`), headers);
      await atOnce(ask);
      const { body: again } = await ask(round);
      const made = await place.store.db.selectFrom('principals').select('id').where('name', '=', `round-${round}`).execute();
      expect(made).toEqual([{ id: again.id }]);
    }
    const unsettled = await place.store.db.selectFrom('idempotency').selectAll().where('settled', '!=', 1).execute();
    expect(unsettled).toEqual([]);
  }, 60_000);
});

test("a key of somebody else, of another org, of another tenant's route or of another route is another key", async () => {
  const place = await CloudPlace.make();
  const headers = { 'idempotency-key': 'the-same-for-everybody' };
  const [ours, colleague, theirs] = [
    await place.account('ours', 'org:admin'),
    await place.account('ours', 'org:admin'),
    await place.account('theirs', 'org:admin'),
  ];
  const ask = ({ token }: TestAccount, path: string, body: object): Promise<Answer> => place.cloud.ask(token, 'POST', path, body, headers);
  const user = { name: 'Bea', email: 'bea@x.example' };
  const made = await ask(ours, '/v1/orgs/ours/users', user);
  const elsewhere = await ask(theirs, '/v1/orgs/theirs/users', user);
  expect([made.status, elsewhere.status]).toEqual([201, 201]);
  expect(elsewhere.body.id).not.toBe(made.body.id);
  // The answer to somebody else's request is not told: his own is tried, and there is this address already.
  expect(await ask(colleague, '/v1/orgs/ours/users', user)).toMatchObject({ status: 409, body: { code: 'conflict' } });
  expect(await ask(theirs, '/v1/orgs/ours/users', user)).toMatchObject({ status: 403 });
  const service = await ask(ours, '/v1/orgs/ours/service-accounts', { name: 'Bea' });
  const tenant = await ask(ours, '/v1/orgs/ours/tenants', { id: 'bea', name: 'Bea' });
  expect([service.status, tenant.status]).toEqual([201, 201]);
  expect(service.body.id).not.toBe(made.body.id);
  expect(await ask(ours, '/v1/orgs/ours/users', user)).toMatchObject({ status: 201, body: { id: made.body.id } });
  // A key that was taken by somebody whose account is closed gives nothing away to whom he shows it.
  await place.people.change('ours', ours.id, { active: false });
  expect(await ask(ours, '/v1/orgs/ours/users', user)).toMatchObject({ status: 401 });
});
