import fc from 'fast-check';
import { expect, test } from 'vitest';
import type {
  ActualCamera,
  ActualModels,
  ActualState,
  ActualTenant,
  CameraSettings,
  WantedState,
} from '../../../../../edge/link/desired/box-state.ts';
import { reportItems } from '../../../../../edge/link/desired/report-items.ts';
import { executeStep, type Step, subjectOf } from '../../../../../edge/link/desired/steps.ts';
import { stepsTo } from '../../../../../edge/link/desired/steps-to.ts';
import { ModelBox, OWN_MODELS } from '../../../../helpers/model-box.ts';

const ORG = 'acme';
const POLICY = { sightingsDays: 30, unmatchedTtlMs: 10_000, matchThreshold: null };

const id = (prefix: string, n: number): string => `${prefix}${n}`;
const policy = fc.record({
  sightingsDays: fc.constantFrom(7, 30),
  unmatchedTtlMs: fc.constant(10_000),
  matchThreshold: fc.constantFrom(null, 0.5),
});
const settings = (slugs: readonly string[]): fc.Arbitrary<CameraSettings> =>
  fc.record({
    slug: fc.constantFrom(...slugs),
    title: fc.constantFrom(null, 'Door'),
    url: fc.constantFrom('rtsp://10.0.0.1/1', 'rtsp://10.0.0.1/2'),
    fps: fc.constantFrom(5, 8),
    tiles: fc.constant(null),
  });

/** Names of cameras that the control plane gives overlap with none that were given on the box: who has one first keeps it. */
const CLOUD_SLUGS = ['door', 'bar', 'stage', 'hall'];
const wantedCameras = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 5 }), settings(CLOUD_SLUGS)), { selector: ([n]) => n, maxLength: 4 })
  .map((cameras) => {
    const taken = new Set<string>();
    const distinct = cameras.filter(([, { slug }]) => !taken.has(slug) && taken.add(slug));
    return distinct.map(([n, set]) => ({ id: id('rec_', n), settings: set }));
  });
const wantedTenants = fc.uniqueArray(fc.record({ id: fc.constantFrom('north', 'south', 'west'), policy, cameras: wantedCameras }), {
  selector: (tenant) => tenant.id,
});
const setName = fc.constantFrom(null, 'small', 'large');
/** Every camera that the control plane has ever named and does not want is named as removed. */
const wantedState: fc.Arbitrary<WantedState> = fc.tuple(wantedTenants, setName).map(([tenants, models]) => ({
  org: ORG,
  models,
  tenants,
  removedCameras: ['north', 'south', 'west', 'own'].flatMap((tenant) => {
    const wanted = tenants.find((one) => one.id === tenant)?.cameras.map((camera) => camera.id) ?? [];
    const ever = [1, 2, 3, 4, 5].map((n) => id('rec_', n));
    return ever.filter((one) => !wanted.includes(one)).map((one) => ({ tenant, id: one }));
  }),
}));

const localCamera: fc.Arbitrary<ActualCamera> = fc
  .tuple(fc.integer({ min: 6, max: 9 }), fc.constantFrom('office', 'yard'))
  .map(([n, slug]) => ({
    id: id('rec_', n),
    fixed: false,
    settings: { slug, title: null, url: 'rtsp://10.0.0.9/1', fps: 5, tiles: null },
  }));
const actualTenant: fc.Arbitrary<ActualTenant> = fc
  .record({
    id: fc.constantFrom('north', 'south', 'west', 'own'),
    fixed: fc.boolean(),
    policy,
    cameras: fc.option(fc.tuple(wantedCameras, fc.uniqueArray(localCamera, { selector: ({ settings: { slug } }) => slug, maxLength: 2 }))),
    dropped: fc.boolean(),
  })
  .map(({ cameras, dropped, ...tenant }) => {
    const leased = tenant.id !== 'own';
    const held = [...(cameras?.[0].map((camera) => ({ ...camera, fixed: false })) ?? []), ...(cameras?.[1] ?? [])];
    const closed = cameras === null || dropped;
    return { ...tenant, org: ORG, leased, dropped: dropped && leased && !tenant.fixed, reason: null, cameras: closed ? undefined : held };
  });
const actualModels: fc.Arbitrary<ActualModels> = fc
  .tuple(setName, fc.boolean())
  .map(([chosen, fixed]) => ({ ...OWN_MODELS, fixed, chosen, set: fixed ? 'own' : (chosen ?? OWN_MODELS.set) }));
const actualState: fc.Arbitrary<ActualState> = fc.record({
  tenants: fc.uniqueArray(actualTenant, { selector: (tenant) => tenant.id }),
  models: actualModels,
});

/** Does one step after the other, until there is none. @returns those that were done */
async function bring(box: ModelBox, wanted: WantedState, most = Number.POSITIVE_INFINITY): Promise<Step[]> {
  const done: Step[] = [];
  for (let [step] = stepsTo(wanted, box.actual); step !== undefined && done.length < most; [step] = stepsTo(wanted, box.actual)) {
    await executeStep(box.executors, step);
    done.push(step);
    expect(done.length, 'the box goes round in circles').toBeLessThan(100);
  }
  return done;
}

function expectReached(wanted: WantedState, before: ActualState, after: ActualState): void {
  if (before.models.fixed) expect(after.models, 'what the configuration file names stays').toEqual(before.models);
  else expect(after.models).toMatchObject({ chosen: wanted.models, set: wanted.models ?? OWN_MODELS.set });
  expectTenantsReached(wanted, before.tenants, after.tenants);
}

function expectTenantsReached(
  { tenants, removedCameras }: WantedState,
  before: readonly ActualTenant[],
  after: readonly ActualTenant[],
): void {
  for (const tenant of tenants) {
    const now = after.find((one) => one.id === tenant.id) ?? expect.unreachable(`${tenant.id} is missing`);
    if (!now.fixed) expect(now).toMatchObject({ policy: tenant.policy, dropped: false });
    for (const camera of tenant.cameras) {
      const held = now.cameras?.find((one) => one.id === camera.id);
      if (now.cameras) expect(held?.settings).toEqual('settings' in camera ? camera.settings : 'none');
    }
  }
  for (const { tenant, id: camera } of removedCameras) {
    expect(after.find((one) => one.id === tenant)?.cameras?.some((one) => one.id === camera) ?? false).toBe(false);
  }
  for (const tenant of before) {
    const now = after.find((one) => one.id === tenant.id);
    const wanted = tenants.some((one) => one.id === tenant.id);
    if (tenant.fixed || !tenant.leased) expect(now?.policy, 'what is not of the cloud stays').toEqual(tenant.policy);
    if (!wanted && tenant.leased && !tenant.fixed) expect(now?.dropped, 'what is not wanted is closed').toBe(true);
    // Cameras that were added on the box stay as they are.
    const own = tenant.cameras?.filter(({ id: camera }) => camera >= 'rec_6') ?? [];
    if (now?.cameras && tenant.cameras) expect(now.cameras).toEqual(expect.arrayContaining(own));
  }
}

test('the steps bring any box to any state that is wanted, and then there is none', async () => {
  await fc.assert(
    fc.asyncProperty(actualState, wantedState, async (actual, wanted) => {
      const box = new ModelBox(actual.tenants, actual.models);
      await bring(box, wanted);
      expectReached(wanted, actual, box.actual);
      expect(stepsTo(wanted, box.actual)).toEqual([]);
    }),
    { numRuns: 2000 },
  );
});

test('broken off after any step, and going on to another state, they come to the same', async () => {
  await fc.assert(
    fc.asyncProperty(actualState, wantedState, wantedState, fc.nat(6), async (actual, first, second, steps) => {
      const box = new ModelBox(actual.tenants, actual.models);
      await bring(box, first, steps);
      const between = structuredClone(box.actual);
      await bring(box, second);
      expectReached(second, between, box.actual);
    }),
    { numRuns: 1000 },
  );
});

const camera = (n: number, slug: string, fixed = false): ActualCamera => ({
  id: fixed ? slug : id('rec_', n),
  fixed,
  settings: { slug, title: null, url: 'rtsp://10.0.0.1/1', fps: 5, tiles: null },
});
const tenant = (changes: Partial<ActualTenant> = {}): ActualTenant => ({
  ...{ id: 'north', org: ORG, fixed: false, leased: true, dropped: false, reason: null, policy: POLICY, cameras: [] },
  ...changes,
});
const wants = (...cameras: ActualCamera[]): WantedState => ({
  org: ORG,
  tenants: [{ id: 'north', policy: POLICY, cameras: cameras.map(({ id: own, settings: set }) => ({ id: own, settings: set })) }],
  removedCameras: [],
  models: null,
});
const withOwnModels = (...tenants: ActualTenant[]): ActualState => ({ tenants, models: OWN_MODELS });
/** What is told of a box with the models of its own. */
const ownModels = { modelSet: 'embedded', models: { state: 'applied', reason: null, files: [] } };

test('cameras that exchange their names do so without either being lost', async () => {
  const box = new ModelBox([tenant({ cameras: [camera(1, 'door'), camera(2, 'bar')] })]);
  const kinds = (await bring(box, wants(camera(1, 'bar'), camera(2, 'door')))).map((step) => step.kind);
  expect(kinds).toEqual(['remove-camera', 'change-camera', 'add-camera']);
});

test('what the configuration file declares stays, and is told as fixed', () => {
  const wanted = wants(camera(1, 'door'), camera(2, 'bar'));
  const actual = withOwnModels(
    tenant({ fixed: true, leased: false, policy: { ...POLICY, sightingsDays: 3 }, cameras: [camera(0, 'door', true)] }),
    tenant({ id: 'south', fixed: true, cameras: [camera(0, 'gate', true)] }),
  );
  expect(stepsTo(wanted, actual).map((step) => [step.kind, subjectOf(step)])).toEqual([['add-camera', 'north/rec_2']]);
  expect(reportItems(wanted, actual, new Map([['north/rec_2', 'conflict']]))).toEqual({
    tenants: [
      { id: 'north', state: 'fixed', reason: 'fixed_by_configuration' },
      { id: 'south', state: 'fixed', reason: null },
    ],
    cameras: [
      { tenant: 'north', id: 'rec_1', state: 'fixed', reason: 'fixed_by_configuration' },
      { tenant: 'north', id: 'rec_2', state: 'failed', reason: 'conflict' },
      { tenant: 'north', id: 'door', state: 'fixed', reason: null },
      { tenant: 'south', id: 'gate', state: 'fixed', reason: null },
    ],
    ...ownModels,
  });
});

test('a tenant of another org is left alone, and one that waits says for what', () => {
  const foreign = withOwnModels(tenant({ org: 'other' }), tenant({ id: 'south', org: 'other' }));
  expect(stepsTo(wants(camera(1, 'door')), foreign)).toEqual([]);
  expect(reportItems(wants(camera(1, 'door')), foreign, new Map())).toEqual({
    tenants: [{ id: 'north', state: 'failed', reason: 'conflict' }],
    cameras: [{ tenant: 'north', id: 'rec_1', state: 'failed', reason: 'conflict' }],
    ...ownModels,
  });
  const closed = withOwnModels(
    tenant({ cameras: undefined, reason: 'lease_missing' }),
    tenant({ id: 'south', dropped: true, cameras: undefined }),
  );
  expect(stepsTo(wants(camera(1, 'door')), closed)).toEqual([]);
  expect(reportItems(wants(camera(1, 'door')), closed, new Map())).toEqual({
    tenants: [
      { id: 'north', state: 'waiting', reason: 'lease_missing' },
      { id: 'south', state: 'closed', reason: null },
    ],
    cameras: [{ tenant: 'north', id: 'rec_1', state: 'waiting', reason: 'lease_missing' }],
    ...ownModels,
  });
});

test('models that are chosen are told with how far the box is, and where its configuration file names a set, that stays', () => {
  const wanted = { ...wants(), tenants: [], models: 'large' };
  const told = (models: Partial<ActualModels>, wish: string | null = 'large', failures: [string, string][] = []) =>
    reportItems({ ...wanted, models: wish }, { tenants: [], models: { ...OWN_MODELS, ...models } }, new Map(failures)).models;
  const steps = (models: Partial<ActualModels>) => stepsTo(wanted, { tenants: [], models: { ...OWN_MODELS, ...models } });
  expect(steps({})).toEqual([{ kind: 'choose-models', models: 'large' }]);
  expect(steps({ chosen: 'large' })).toEqual([]);
  expect(steps({ fixed: true })).toEqual([]);
  expect(told({})).toMatchObject({ state: 'waiting', reason: null });
  expect(told({}, 'large', [['/models', 'storage_failed']])).toMatchObject({ state: 'failed', reason: 'storage_failed' });
  // Of an earlier choice it says nothing.
  expect(told({ chosen: 'small', standing: { state: 'failed', reason: 'model_contract' } })).toMatchObject({
    state: 'waiting',
    reason: null,
  });
  expect(told({ chosen: 'large', standing: { state: 'waiting', reason: 'model_licence' } })).toMatchObject({
    state: 'waiting',
    reason: 'model_licence',
  });
  expect(told({ fixed: true })).toMatchObject({ state: 'fixed', reason: 'fixed_by_configuration' });
  expect(told({ fixed: true, set: 'large' })).toMatchObject({ state: 'fixed', reason: null });
  expect(told({ fixed: true }, null)).toMatchObject({ state: 'fixed', reason: null });
});

test('a tenant called models is told apart from the models', () => {
  const wanted: WantedState = { ...wants(), tenants: [{ id: 'models', policy: POLICY, cameras: [] }] };
  const { tenants, models } = reportItems(wanted, withOwnModels(), new Map([['models', 'conflict']]));
  expect([tenants, models]).toMatchObject([[{ id: 'models', state: 'failed' }], { state: 'applied' }]);
});
