import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { StoreAddress } from '../../cloud/store/open-store.ts';
import type { VaultClient } from '../../edge/vault/client.ts';
import type { Sighting } from '../../shared/messages/events.ts';
import { IntakePlace } from '../helpers/intake-place.ts';
import { MemoryTransport } from '../helpers/memory-transport.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { ROOM, TellingBox } from '../helpers/telling-box.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { guest, sightingOf } from '../helpers/vault-guests.ts';

const PATIENTLY = { timeout: 30_000, interval: 20 };
const DAY_MS = 86_400_000;

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(async () => postgres.stop());

async function freshStore(database: string): Promise<StoreAddress> {
  return database === 'SQLite' ? { file: join(await tempFolder(), 'cloud.db') } : { postgres: await postgres.database() };
}

async function placeOf(database: string, tenants: readonly string[], transport?: MemoryTransport): Promise<IntakePlace> {
  const place = await IntakePlace.make(await freshStore(database), transport);
  for (const tenant of tenants) await place.addTenant(tenant);
  return place;
}

async function boxAt(place: IntakePlace, tenants: readonly string[], settings = ROOM): Promise<TellingBox> {
  const box = await TellingBox.make(place.transport, tenants, settings);
  place.assigned.set(box.id, [...tenants]);
  return box;
}

function unknownOf(tenant: string, change: Partial<Sighting> = {}): Sighting {
  return { ...sightingOf(null, tenant, 'unknown'), ...change };
}

async function record(vault: VaultClient, tenant: string, count: number): Promise<void> {
  for (let left = count; left > 0; left--) await vault.recordSighting(unknownOf(tenant));
}

/** What nobody may say of a person, in all that was said and in all that the control plane has. */
async function allThatIsKnown({ transport, store }: IntakePlace): Promise<string> {
  const tables = ['sightings', 'counted_sightings', 'sighting_days', 'usage_runs', 'telemetry'] as const;
  const rows = await Promise.all(tables.map((table) => store.db.selectFrom(table).selectAll().execute()));
  return JSON.stringify([rows, transport.sent.map(({ payload }) => payload.toString())]);
}

describe.each(['SQLite', 'Postgres'])('what a box tells, to a control plane on %s', (database) => {
  test('is counted by day, hour and camera, and then gone from the box; nobody is named', async () => {
    const place = await placeOf(database, ['hall', 'club']);
    const box = await boxAt(place, ['hall', 'club']);
    const hall = box.vault('hall');
    const { customerId } = await hall.enrolCustomer(guest(1));
    const at = (time: string): Partial<Sighting> => ({ startedAt: time, endedAt: time });
    const [one, two, three] = [-DAY_MS, -DAY_MS + 3_600_000, 0].map((ago) => new Date(place.at + ago).toISOString()) as [
      string,
      string,
      string,
    ];
    await hall.recordSighting({ ...sightingOf(customerId), ...at(one) });
    await hall.recordSighting(unknownOf('hall', at(one)));
    await hall.recordSighting(unknownOf('hall', { ...at(two), camera: 'stairs' }));
    await hall.recordSighting(unknownOf('hall', at(three)));
    await box.vault('club').recordSighting(unknownOf('club', at(three)));
    await hall.count('frames', 7);
    await box.connect();
    await expect.poll(() => place.sightings('hall'), PATIENTLY).toBe(4);
    await expect.poll(() => place.sightings('club'), PATIENTLY).toBe(1);
    await expect.poll(() => place.used('hall', 'frames'), PATIENTLY).toBe(7);
    await expect.poll(() => box.isQuiet(), PATIENTLY).toBe(true);

    const span = { from: one.slice(0, 10), to: three.slice(0, 10) };
    const perDay = await place.intake.sightingCounts.perDay('acme', 'hall', span);
    const perHour = await place.intake.sightingCounts.perHour('acme', 'hall', span);
    for (const counts of [perDay, perHour]) {
      expect(counts.map(({ camera, known, unknown }) => [camera, known, unknown]).toSorted()).toEqual([
        ['door', 0, 1],
        ['door', 1, 1],
        ['stairs', 0, 1],
      ]);
    }
    expect(perDay.find(({ known }) => known === 1)?.from).toBe(`${one.slice(0, 10)}T00:00:00.000Z`);
    expect(perHour.find(({ known }) => known === 1)?.from).toBe(`${one.slice(0, 13)}:00:00.000Z`);
    expect(await place.intake.sightingCounts.perDay('other', 'hall', span)).toEqual([]);
    const said = await allThatIsKnown(place);
    for (const secret of [customerId, 'Guest', 'test-embedder', '"box"']) expect(said).not.toContain(secret);
  });

  test('comes to several processes, twice, late or not at all, and counts once', async () => {
    const transport = new MemoryTransport({ prompt: false });
    const place = await placeOf(database, ['hall'], transport);
    await place.start();
    const box = await boxAt(place, ['hall']);
    await record(box.vault('hall'), 'hall', 40);
    await box.vault('hall').count('frames', 5);
    await box.connect();
    const isUp = (): boolean => transport.onWay.some(({ direction }) => direction === 'up');
    // The first words are lost; what follows comes twice, and the answers to it are lost.
    await expect.poll(isUp, PATIENTLY).toBe(true);
    while (transport.onWay.length > 0) transport.drop(0);
    for (let round = 0; round < 6; round++) {
      await expect.poll(isUp, PATIENTLY).toBe(true);
      transport.duplicate(0);
      await transport.deliver(0);
      for (let index = transport.onWay.length - 1; index >= 0; index--)
        if (transport.onWay[index]?.direction === 'down') transport.drop(index);
    }
    await expect
      .poll(async () => {
        while (transport.onWay.length > 0) await transport.deliver(0);
        return (await place.sightings('hall')) === 40 && (await place.used('hall', 'frames')) === 5 && (await box.isQuiet());
      }, PATIENTLY)
      .toBe(true);
    expect(await place.sightings('hall')).toBe(40);
  });

  test('two processes that take the same message in one moment count it once', async () => {
    const place = await placeOf(database, ['hall']);
    const device = `box_${'a'.repeat(26)}`;
    place.assigned.set(device, ['hall']);
    const sightings = Array.from({ length: 200 }, () => {
      const { id, camera, startedAt, endedAt } = unknownOf('hall');
      return { id, camera, begunAt: startedAt, endedAt, known: false, confidence: null };
    });
    const batch = { batch: '01KAMV8Z0000000000000000AA', org: 'acme', tenant: 'hall' };
    const payload = (list: readonly object[]): Buffer => Buffer.from(JSON.stringify({ ...batch, sightings: list }));
    const box = { org: 'acme', signingKeys: [] };
    const take = place.intake.takers.sightings;
    await Promise.all([
      take?.(device, box, payload(sightings)),
      take?.(device, box, payload(sightings.toReversed())),
      take?.(device, box, payload([...sightings.slice(50), ...sightings.slice(0, 56)])),
    ]);
    expect(await place.sightings('hall')).toBe(200);
  });

  test('what the policy of the tenant does not keep is removed, and the counts of the days stay', async () => {
    const place = await IntakePlace.make(await freshStore(database));
    await place.addTenant('hall', { sightingsDays: 7 });
    await place.addTenant('club');
    const box = await boxAt(place, ['hall', 'club']);
    const now = new Date(place.at).toISOString();
    for (const tenant of ['hall', 'club'])
      for (let left = 3; left > 0; left--) await box.vault(tenant).recordSighting(unknownOf(tenant, { startedAt: now, endedAt: now }));
    await box.connect();
    await expect.poll(async () => (await place.sightings('hall')) + (await place.sightings('club')), PATIENTLY).toBe(6);
    const day = now.slice(0, 10);
    const hours = async (tenant: string): Promise<number> =>
      (await place.intake.sightingCounts.perHour('acme', tenant, { from: day, to: day })).reduce((sum, { unknown }) => sum + unknown, 0);
    place.at = Date.parse(day) + 6 * DAY_MS;
    await place.sweep();
    expect(await Promise.all(['hall', 'club'].map(hours))).toEqual([3, 3]);
    place.at += DAY_MS;
    await place.sweep();
    expect(await Promise.all(['hall', 'club'].map(hours))).toEqual([0, 3]);
    expect(await Promise.all(['hall', 'club'].map((tenant) => place.sightings(tenant)))).toEqual([3, 3]);
    const remembered = async (): Promise<number> => (await place.store.db.selectFrom('counted_sightings').select('id').execute()).length;
    expect(await remembered()).toBe(6);
    place.at += 100 * DAY_MS;
    await place.sweep();
    expect(await remembered()).toBe(0);
  });
});

test('three weeks without a network: what has no room is dropped and counted, the rest is told, and usage is whole', async () => {
  const place = await placeOf('SQLite', ['hall']);
  const room = { bytes: 40_000, whenFull: 'drop-oldest' } as const;
  const box = await boxAt(place, ['hall'], room);
  const vault = box.vault('hall');
  for (let day = 21; day > 0; day--) {
    const time = new Date(place.at - day * DAY_MS).toISOString();
    for (let left = 15; left > 0; left--) await vault.recordSighting(unknownOf('hall', { startedAt: time, endedAt: time }));
    await vault.count('sightings', 15);
  }
  const { items, dropped, bytes } = vault.outbox;
  expect([items + dropped, bytes <= room.bytes, dropped > 100]).toEqual([315, true, true]);
  await box.connect();
  await expect.poll(() => box.isQuiet(), PATIENTLY).toBe(true);
  expect([await place.sightings('hall'), await place.used('hall', 'sightings')]).toEqual([items, 315]);
  expect((await vault.listSightings({ limit: 200 })).items).toHaveLength(200);
});

test('a box that is not assigned keeps what it has until it is, and a vault that hangs holds up nobody', async () => {
  const place = await placeOf('SQLite', ['hall', 'club']);
  const box = await boxAt(place, ['hall', 'club']);
  place.assigned.set(box.id, ['club']);
  const hung = Promise.withResolvers<undefined>();
  onTestFinished(() => hung.resolve(undefined));
  box.more.push({
    ...{ org: 'acme', tenant: 'hung', channel: 'sightings', waiting: true },
    untold: () => hung.promise,
    told: async () => undefined,
  });
  for (const tenant of ['hall', 'club']) await record(box.vault(tenant), tenant, 5);
  await box.connect();
  await expect.poll(() => place.sightings('club'), PATIENTLY).toBe(5);
  await expect.poll(() => place.intake.refused.unassigned, PATIENTLY).toBeGreaterThan(2);
  expect([await place.sightings('hall'), box.vault('hall').outbox.items]).toEqual([0, 5]);
  place.assigned.set(box.id, ['club', 'hall']);
  await expect.poll(() => place.sightings('hall'), PATIENTLY).toBe(5);
});

test('a full disk costs the sightings that it does not take, no others, and the vault goes on', async () => {
  const place = await placeOf('SQLite', ['hall']);
  const box = await boxAt(place, ['hall'], { bytes: 2 ** 30, whenFull: 'drop-oldest' });
  const vault = box.vault('hall');
  const folder = box.folder('hall');
  await record(vault, 'hall', 5);
  const limit = (most: string): Buffer => execFileSync('prlimit', [`--pid=${vault.pid}`, `--fsize=${most}:unlimited`]);
  const largest = Math.max(...readdirSync(folder).map((name) => statSync(join(folder, name)).size));
  // No file of this process grows by more than so much from here on.
  limit(String(largest + 100_000));
  let kept = 5;
  let lost = 0;
  while (lost < 3) {
    await vault.recordSighting(unknownOf('hall')).then(
      () => (kept += 1),
      (error: unknown) => {
        expect(error).toMatchObject({ code: 'storage_failed' });
        lost += 1;
      },
    );
  }
  expect(vault.state).toBe('ready');
  limit('unlimited');
  await record(vault, 'hall', 2);
  await box.connect();
  await expect.poll(() => box.isQuiet(), PATIENTLY).toBe(true);
  expect(await place.sightings('hall')).toBe(kept + 2);
  expect((await vault.listSightings({ limit: 200 })).items.length).toBe(Math.min(kept + 2, 200));
}, 60_000);

/** A world in which everything may end at any moment, but what was acknowledged counts. */
class World {
  readonly place: IntakePlace;
  readonly box: TellingBox;
  readonly recorded = new Set<string>();
  /** Those of which a vault did not say whether it took them, because it ended. */
  readonly doubtful = new Set<string>();
  frames = 0;

  constructor(place: IntakePlace, box: TellingBox) {
    this.place = place;
    this.box = box;
  }

  get transport(): MemoryTransport {
    return this.place.transport;
  }

  get vault(): VaultClient {
    return this.box.vault('hall');
  }

  async record(count: number): Promise<void> {
    for (let left = count; left > 0; left--) {
      const sighting = unknownOf('hall');
      this.doubtful.add(sighting.id);
      await this.vault.recordSighting(sighting).then(
        () => {
          this.doubtful.delete(sighting.id);
          this.recorded.add(sighting.id);
        },
        () => undefined,
      );
    }
  }

  async count(by: number): Promise<void> {
    this.frames += by;
    await this.vault.count('frames', by).catch(() => undefined);
  }

  async bring(messages: number): Promise<void> {
    for (let left = messages; left > 0; left--) {
      await this.transport.deliver(0);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Kills the vault within what it is about, if it is about something, and runs. */
  killVault(): void {
    try {
      process.kill(this.vault.pid ?? Number.NaN, 'SIGKILL');
    } catch {
      // It has just ended, or is between two lives.
    }
  }

  async restartBox(): Promise<void> {
    await this.box.stop();
    await this.box.start();
    await this.box.connect();
  }

  async restartCloud(): Promise<void> {
    await this.place.stop();
    await this.place.start();
  }

  async heal(): Promise<void> {
    this.transport.prompt = true;
    while (this.transport.onWay.length > 0) await this.transport.deliver(0);
    await vi.waitUntil(() => this.vault.state === 'ready', { timeout: 60_000, interval: 10 });
    await this.box.connect();
    await vi.waitUntil(() => this.box.isQuiet(), { timeout: 60_000, interval: 20 });
  }
}

class Happening implements fc.AsyncCommand<object, World> {
  readonly #what: string;
  readonly #run: (world: World) => unknown;

  constructor(what: string, run: (world: World) => unknown) {
    this.#what = what;
    this.#run = run;
  }

  check(): boolean {
    return true;
  }

  async run(_model: object, world: World): Promise<void> {
    await this.#run(world);
  }

  toString(): string {
    return this.#what;
  }
}

const any = fc.nat({ max: 20 });
const bring = fc.nat({ max: 6 }).map((n) => new Happening(`bring ${n}`, (world) => world.bring(n)));
const see = fc.integer({ min: 1, max: 6 }).map((n) => new Happening(`see ${n}`, (world) => world.record(n)));
const HAPPENINGS = [
  ...[bring, bring, bring, see, see],
  fc.integer({ min: 1, max: 9 }).map((n) => new Happening(`count ${n}`, (world) => world.count(n))),
  any.map((n) => new Happening(`deliver ${n}`, ({ transport }) => transport.deliver(n % Math.max(transport.onWay.length, 1)))),
  any.map((n) => new Happening(`lose ${n}`, ({ transport }) => transport.drop(n))),
  any.map((n) => new Happening(`repeat ${n}`, ({ transport }) => transport.duplicate(n))),
  fc.constant(new Happening('connect', ({ box }) => box.connect())),
  fc.constant(new Happening('cut', ({ transport, box }) => transport.cut(box.id))),
  fc.constant(new Happening('box ends', (world) => world.restartBox())),
  fc.constant(new Happening('control plane ends', (world) => world.restartCloud())),
  fc.constant(new Happening('another control plane', ({ place }) => place.start())),
  fc.constant(new Happening('vault ends', (world) => world.killVault())),
  any.map(
    (n) =>
      new Happening(`vault ends while it sees ${n}`, async (world) => {
        const seen = world.record(n + 2);
        setTimeout(() => world.killVault(), n);
        await seen;
      }),
  ),
];

test('whatever ends, is lost, repeated or late: each sighting that a vault has acknowledged is counted once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(HAPPENINGS, { maxCommands: 40, size: 'max' }), async (happenings) => {
      const place = await placeOf('SQLite', ['hall'], new MemoryTransport({ prompt: false }));
      const world = new World(place, await boxAt(place, ['hall']));
      try {
        await fc.asyncModelRun(() => ({ model: {}, real: world }), happenings);
        await world.heal();
        const told = await place.store.db.selectFrom('sightings').select('id').execute();
        const ids = told.map(({ id }) => id);
        for (const id of world.recorded) expect(ids).toContain(id);
        expect(ids.filter((id) => !world.recorded.has(id) && !world.doubtful.has(id))).toEqual([]);
        expect(new Set(ids).size).toBe(ids.length);
        expect(await place.sightings('hall')).toBe(ids.length);
        const [day] = await world.vault.usage({ from: '2000-01-01', to: '2100-01-01' });
        // What a vault has not written down when it is killed nobody counts; what it has, the control plane counts once.
        expect(await place.used('hall', 'frames')).toBe(day?.counters.frames ?? 0);
        expect(day?.counters.frames ?? 0).toBeLessThanOrEqual(world.frames);
      } finally {
        await world.box.stop();
        await world.vault.stop();
      }
    }),
    { numRuns: Number(process.env.INTERLEAVINGS ?? 6), interruptAfterTimeLimit: 120_000 },
  );
}, 300_000);

test('in the files of a vault nothing of an item of its outbox is readable', async () => {
  const place = await placeOf('SQLite', ['hall']);
  const box = await boxAt(place, ['hall']);
  const sighting = unknownOf('hall', { camera: 'camera-at-the-door' });
  await box.vault('hall').recordSighting(sighting);
  await box.vault('hall').stop();
  const folder = box.folder('hall');
  const content = Buffer.concat(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name))),
  );
  expect(content.length).toBeGreaterThan(10_000);
  for (const text of [sighting.id, 'camera-at-the-door', 'begunAt']) expect(content.includes(text), text).toBe(false);
});
