import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { type SightingReport, sightingBatchSchema } from '../../shared/fleet/sighting-batch.ts';
import { telemetrySchema } from '../../shared/fleet/telemetry.ts';
import { usageBatchSchema } from '../../shared/fleet/usage-batch.ts';
import { newId } from '../../shared/ids/ids.ts';
import { newUlid } from '../../shared/ids/ulid.ts';
import { IntakePlace } from '../helpers/intake-place.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const DAY_MS = 86_400_000;
const TABLES = ['counted_sightings', 'sightings', 'sighting_days', 'usage_runs', 'telemetry'] as const;
const CHANNELS = ['sightings', 'usage', 'telemetry'] as const;

let place: IntakePlace;
const [ours, theirs] = [newId('box'), newId('box')];

beforeEach(async () => {
  place = await IntakePlace.make({ file: join(await tempFolder(), 'cloud.db') });
  for (const tenant of ['hall', 'club']) await place.addTenant(tenant);
  place.assigned.set(ours, ['hall']);
  place.assigned.set(theirs, ['club']);
});

function reportOf(change: Partial<SightingReport> = {}): SightingReport {
  const at = new Date(place.at).toISOString();
  return { id: newId('sighting'), camera: 'door', begunAt: at, endedAt: at, known: false, confidence: null, ...change };
}

function batchOf(change: object = {}): object {
  return { batch: newUlid(place.at), org: 'acme', tenant: 'hall', sightings: [reportOf()], ...change };
}

function usageOf(change: object = {}): object {
  const days = [{ run: newUlid(place.at), day: '2026-11-22', counters: { frames: 1 } }];
  return { batch: newUlid(place.at), org: 'acme', tenant: 'hall', days, ...change };
}

/** Lets a device say something, and waits until it was heard. @returns what it was answered */
async function say(device: string, channel: string, payload: object | string | Buffer): Promise<unknown[]> {
  const { transport } = place;
  transport.prompt = false;
  const before = transport.sent.length;
  const text = Buffer.isBuffer(payload) || typeof payload === 'string' ? Buffer.from(payload) : Buffer.from(JSON.stringify(payload));
  transport.inject({ device, direction: 'up', channel, payload: text });
  while (transport.onWay.length > 0) await transport.deliver(0);
  return transport.sent.slice(before + 1).map((message) => JSON.parse(message.payload.toString()));
}

async function stored(): Promise<number> {
  const rows = await Promise.all(TABLES.map((table) => place.store.db.selectFrom(table).selectAll().execute()));
  return rows.flat().length;
}

describe('what a box may not tell', () => {
  test('of a tenant of another box, of another org, of nobody: it is not stored, not answered, and counted', async () => {
    const wrong = [{ tenant: 'club' }, { org: 'other' }, { tenant: 'nowhere' }];
    for (const change of wrong) {
      expect(await say(ours, 'sightings', batchOf(change))).toEqual([]);
      expect(await say(ours, 'usage', usageOf(change))).toEqual([]);
    }
    for (const [channel, payload] of [
      ['sightings', batchOf()],
      ['usage', usageOf()],
      ['telemetry', '{}'],
    ] as const)
      expect(await say(newId('box'), channel, payload)).toEqual([]);
    expect([await stored(), place.intake.refused.unassigned]).toEqual([0, 6]);
    expect(await say(ours, 'sightings', batchOf())).toHaveLength(1);
  });

  test('an id of a sighting that another box will tell, or has told: it takes nothing away from that', async () => {
    const sighting = reportOf();
    expect(await say(ours, 'sightings', batchOf({ sightings: [sighting] }))).toMatchObject([{ kind: 'kept', refused: 0 }]);
    expect(await say(theirs, 'sightings', batchOf({ tenant: 'club', sightings: [sighting] }))).toMatchObject([{ kind: 'kept' }]);
    expect([await place.sightings('hall'), await place.sightings('club')]).toEqual([1, 1]);
  });

  test('one thing twice, in one message or in many: it counts once', async () => {
    const sighting = reportOf();
    await say(ours, 'sightings', batchOf({ sightings: [sighting, sighting, { ...sighting, camera: 'stairs', known: true }] }));
    await say(ours, 'sightings', batchOf({ sightings: [{ ...sighting, endedAt: new Date(place.at - DAY_MS).toISOString() }] }));
    expect(await place.sightings('hall')).toBe(1);
  });

  test('what was long ago, or will be: it is answered, and does not count', async () => {
    const at = (days: number): SightingReport => reportOf({ endedAt: new Date(place.at + days * DAY_MS).toISOString() });
    const sightings = [at(-101), at(2), at(-99), at(0)];
    expect(await say(ours, 'sightings', batchOf({ sightings }))).toMatchObject([{ kind: 'kept', refused: 2 }]);
    expect(await say(ours, 'sightings', batchOf({ sightings: [at(-4000), at(4000)] }))).toMatchObject([{ refused: 2 }]);
    expect([await place.sightings('hall'), place.intake.refused.untimely]).toEqual([2, 4]);
    // One whose id is forgotten by then is not counted anew.
    const old = at(-99);
    await say(ours, 'sightings', batchOf({ sightings: [old] }));
    place.at += 3 * DAY_MS;
    await place.sweep();
    await say(ours, 'sightings', batchOf({ sightings: [old] }));
    expect(await place.sightings('hall')).toBe(3);
  });

  test('usage that goes back, or of a run that it told of before: the most that was said counts', async () => {
    const run = newUlid(place.at);
    const tell = (frames: number): Promise<unknown> =>
      say(ours, 'usage', usageOf({ days: [{ run, day: '2026-11-22', counters: { frames } }] }));
    for (const frames of [10, 30, 30, 20]) await tell(frames);
    await say(theirs, 'usage', usageOf({ tenant: 'club', days: [{ run, day: '2026-11-22', counters: { frames: 5 } }] }));
    expect([await place.used('hall', 'frames'), await place.used('club', 'frames')]).toEqual([30, 5]);
  });

  test('too much, too large, or in another form: it is dropped, and what follows is heard', async () => {
    const many = (count: number): SightingReport[] => Array.from({ length: count }, () => reportOf());
    const odd: readonly (object | string | Buffer)[] = [
      batchOf({ sightings: many(257) }),
      batchOf({ sightings: [] }),
      batchOf({ more: 1 }),
      batchOf({ sightings: [{ ...reportOf(), customerId: newId('customer') }] }),
      batchOf({ sightings: [{ ...reportOf(), name: 'Ada' }] }),
      batchOf({ sightings: [{ ...reportOf(), camera: "a'; DROP TABLE sightings; --" }] }),
      batchOf({ tenant: '../club' }),
      usageOf({ days: [{ run: newUlid(place.at), day: '2026-11-22', counters: { frames: -1 } }] }),
      usageOf({ days: [{ run: newUlid(place.at), day: '2026-11-22', counters: { frames: 1e300 } }] }),
      usageOf({ days: [{ run: newUlid(place.at), day: '2026-11-22', counters: { 'A b': 1 } }] }),
      Buffer.from(JSON.stringify(batchOf()).padEnd(70_000, ' ')),
      '',
      '{',
      'null',
      '[]',
      '{"__proto__":{"batch":1}}',
      Buffer.alloc(60_000, '['),
      randomBytes(1000),
    ];
    for (const payload of odd) for (const channel of CHANNELS) expect(await say(ours, channel, payload)).toEqual([]);
    expect(await stored()).toBe(0);
    expect(await say(ours, 'sightings', batchOf({ sightings: many(256) }))).toHaveLength(1);
    expect(await place.sightings('hall')).toBe(256);
  });

  test('anything at all: nobody fails for it, and what is taken fits its form', async () => {
    const schemas = { sightings: sightingBatchSchema, usage: usageBatchSchema, telemetry: telemetrySchema };
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...CHANNELS), fc.jsonValue(), fc.nat(), async (channel, value, at) => {
        const whole: Record<string, unknown> = { ...(channel === 'usage' ? usageOf() : batchOf()) };
        const keys = Object.keys(whole);
        whole[keys[at % keys.length] ?? ''] = value;
        for (const payload of [value, whole]) {
          const before = await stored();
          await say(ours, channel, JSON.stringify(payload));
          if (!schemas[channel].safeParse(payload).success) expect(await stored()).toBe(before);
        }
      }),
      { numRuns: 200 },
    );
    expect(place.transport.failures).toEqual([]);
  });
});
