import { describe, expect, test } from 'vitest';
import { faceBoxAt } from '../../../../../provisioning/demo/footage/face-box-at.ts';
import type { PersonId } from '../../../../../provisioning/demo/footage/faces.ts';
import { APPEARANCES, type Appearance, GUESTS, TENANTS, tenantOf } from '../../../../../provisioning/demo/footage/script.ts';
import { isGood, makeResult } from '../../../../../provisioning/demo/score/make-result.ts';
import { matchAppearance } from '../../../../../provisioning/demo/score/match-appearance.ts';
import { scoreSightings } from '../../../../../provisioning/demo/score/score-sightings.ts';
import type { Sighting, Stats } from '../../../../../shared/messages/events.ts';

const customers = new Map(TENANTS.flatMap((tenant) => GUESTS[tenant].map((person) => [`cus_${person}`, { tenant, person }] as const)));
const isGuest = ({ camera, person }: Appearance): boolean => GUESTS[tenantOf(camera)].includes(person);
let count = 0;

/** A sighting of an appearance as a good daemon would report it, but for `changes`. */
function sightingOf(appearance: Appearance, changes: Partial<Sighting> = {}): Sighting {
  const middle = (appearance.fromMs + appearance.toMs) / 2;
  const box = faceBoxAt(appearance, middle) ?? { x: 0, y: 0, width: 1, height: 1 };
  const named = isGuest(appearance);
  const at = new Date(0).toISOString();
  count += 1;
  return {
    type: 'sighting',
    phase: 'ended',
    id: `sig_${count}`,
    tenant: tenantOf(appearance.camera),
    camera: appearance.camera,
    track: count,
    startedAt: at,
    bestShotAt: at,
    endedAt: at,
    media: { startMs: appearance.fromMs, bestShotMs: middle, endMs: appearance.toMs },
    box,
    outcome: named ? 'person' : 'unknown',
    customerId: named ? `cus_${appearance.person}` : null,
    score: 0.9,
    votes: 3,
    models: { detector: 'd', landmarks: 'l', embedder: 'e' },
    ...changes,
  };
}

const perfect = (): Sighting[] => APPEARANCES.map((appearance) => sightingOf(appearance));
const guest = APPEARANCES.find(isGuest) as Appearance;
const stranger = APPEARANCES.find((appearance) => !isGuest(appearance)) as Appearance;
const guests = APPEARANCES.filter(isGuest).length;
const strangers = APPEARANCES.length - guests;
const without = (appearance: Appearance): Sighting[] => perfect().filter((_, index) => APPEARANCES[index] !== appearance);
const otherGuest = (tenant: string): string =>
  `cus_${customers.values().find((customer) => customer.tenant === tenant && customer.person !== guest.person)?.person}`;

describe('matchAppearance', () => {
  test('by camera, time and overlap', () => {
    expect(matchAppearance(sightingOf(guest))).toBe(guest);
    expect(matchAppearance(sightingOf(guest, { camera: 'another-one' }))).toBeUndefined();
    const { media, box } = sightingOf(guest);
    expect(matchAppearance(sightingOf(guest, { media: { ...media, bestShotMs: guest.toMs + 200 } }))).toBeUndefined();
    // Shifted by half of its width: 1/3 in common. By six tenths: 1/4.
    expect(matchAppearance(sightingOf(guest, { box: { ...box, x: box.x + box.width * 0.5 } }))).toBe(guest);
    expect(matchAppearance(sightingOf(guest, { box: { ...box, x: box.x + box.width * 0.6 } }))).toBeUndefined();
  });

  test('without a best shot, by the end of the track', () => {
    const { media } = sightingOf(guest);
    const endMs = (guest.fromMs + guest.toMs) / 2;
    expect(matchAppearance(sightingOf(guest, { media: { ...media, bestShotMs: null, endMs } }))).toBe(guest);
  });

  test('of two who cross, the one that overlaps more', () => {
    const crossing = APPEARANCES.filter(({ camera, fromMs }) => camera === 'arena-foyer' && fromMs >= 9000 && fromMs < 10_000);
    for (const appearance of crossing) {
      const box = faceBoxAt(appearance, 13_200);
      if (box === undefined) throw new Error('nobody there');
      expect(matchAppearance(sightingOf(appearance, { media: { startMs: 0, bestShotMs: 13_200, endMs: 0 }, box }))?.person).toBe(
        appearance.person,
      );
    }
    expect(crossing.length).toBe(2);
  });
});

describe('scoreSightings', () => {
  test('a perfect run', () => {
    const score = scoreSightings(perfect(), customers);
    expect(score).toEqual({ expected: guests, recognised: guests, wrong: 0, unknown: strangers, crossTenant: 0, remarks: [] });
  });

  test('a guest who is missed or reported as unknown is not recognised', () => {
    expect(scoreSightings(without(guest), customers)).toMatchObject({ recognised: guests - 1, wrong: 0, unknown: strangers });
    const unsure = [...without(guest), sightingOf(guest, { outcome: 'unknown', customerId: null })];
    expect(scoreSightings(unsure, customers)).toMatchObject({ recognised: guests - 1, wrong: 0, unknown: strangers });
  });

  test('several sightings of one appearance count once', () => {
    expect(scoreSightings([...perfect(), ...perfect()], customers)).toMatchObject({ recognised: guests, unknown: strangers, wrong: 0 });
  });

  test('of several reports of one sighting the last counts', () => {
    const report = sightingOf(guest);
    const reports = [{ ...report, phase: 'begun' as const, customerId: otherGuest('harbour-hall') }, report];
    expect(scoreSightings([...without(guest), ...reports], customers)).toMatchObject({ recognised: guests, wrong: 0 });
  });

  test('another guest of the tenant is wrong', () => {
    const score = scoreSightings([...without(guest), sightingOf(guest, { customerId: otherGuest('harbour-hall') })], customers);
    expect(score).toMatchObject({ recognised: guests - 1, wrong: 1, crossTenant: 0 });
  });

  test('a customer of the other tenant is wrong and crosses tenants, even where it is that very person', () => {
    const known = APPEARANCES.find((appearance) => !isGuest(appearance) && customers.has(`cus_${appearance.person}`)) as Appearance;
    const named: Partial<Sighting> = { outcome: 'person', customerId: `cus_${known.person}` };
    expect(scoreSightings([...without(known), sightingOf(known, named)], customers)).toMatchObject({
      wrong: 1,
      crossTenant: 1,
      unknown: strangers - 1,
    });
  });

  test('a stranger with a name is wrong, also where another sighting had it right', () => {
    const named: Partial<Sighting> = { outcome: 'person', customerId: otherGuest(tenantOf(stranger.camera)) };
    expect(scoreSightings([...perfect(), sightingOf(stranger, named)], customers)).toMatchObject({ wrong: 1, unknown: strangers - 1 });
  });

  test('a name where nobody was, or that nobody has, is wrong', () => {
    const nowhere = sightingOf(guest, { box: { x: 900, y: 600, width: 50, height: 50 } });
    expect(scoreSightings([...perfect(), nowhere], customers)).toMatchObject({ wrong: 1 });
    expect(scoreSightings([...perfect(), sightingOf(guest, { customerId: 'cus_nobody' })], customers)).toMatchObject({ wrong: 1 });
  });
});

describe('makeResult', () => {
  const camera = {
    tenant: 't',
    camera: 'c',
    state: 'ended',
    frames: 160,
    skipped: 1,
    tracks: 7,
    failures: 0,
    waiting: 0,
    fpsWanted: 5,
    fps: 4.98,
  } as const;
  const stats: Stats = {
    type: 'stats',
    at: new Date(0).toISOString(),
    uptimeMs: 1,
    cameras: [camera, { ...camera, camera: 'd' }],
    latencyMs: { p50: 12.34, p95: 45.67, p99: 99 },
    eventLoopMs: { p50: 1, p95: 2, p99: 3.21 },
    queues: { inference: 0, embedder: 0 },
    rejections: {},
    provider: { name: 'cpu', fallbackReason: null },
    vaults: [],
    lastBackupAt: null,
    link: null,
    warnings: [],
  };
  const found = new Map([['a', new Set(['name, UTF-8'])]]);
  const person: PersonId = guest.person;
  const score = { expected: 20, recognised: 19, wrong: 0, unknown: 8, crossTenant: 0, remarks: [person] };

  test('is the line that is promised', () => {
    expect(JSON.stringify(makeResult({ stats, score, foreignCandidates: 0, leaks: [] }))).toBe(
      '{"cameras":2,"frames":320,"tracks":14,"expected":20,"recognised":19,"wrong":0,"unknown":8,"crossTenant":0,' +
        '"latencyMs":{"p50":12.3,"p95":45.7},"eventLoopMs":{"p99":3.2},"fps":10,"skipped":2,"plaintextOnDisk":0}',
    );
  });

  test('counts a file that leaks twice once', () => {
    expect(makeResult({ stats, score, foreignCandidates: 2, leaks: [found, found] })).toMatchObject({ crossTenant: 2, plaintextOnDisk: 1 });
  });

  test.each([
    [true, {}],
    [false, { recognised: 18 }],
    [false, { wrong: 1 }],
    [false, { crossTenant: 1 }],
    [false, { plaintextOnDisk: 1 }],
  ])('good: %s with %o', (good, changes) => {
    expect(isGood({ ...makeResult({ stats, score, foreignCandidates: 0, leaks: [] }), ...changes })).toBe(good);
  });

  test.each([
    [true, {}],
    [false, { sightingsInCloud: 35 }],
    [false, { miscounted: 1 }],
    [false, { namesInCloud: 1 }],
    [false, { commandsDone: 1 }],
  ])('good: %s with a cloud with %o', (good, changes) => {
    const counted = { sightingsOnBox: 36, sightingsInCloud: 36, miscounted: 0 };
    const cloud = { hsm: 'software', enrolledMs: 1, leasedMs: 1, ...counted, namesInCloud: 0, commandsDone: 2, ...changes } as const;
    expect(isGood({ ...makeResult({ stats, score, foreignCandidates: 0, leaks: [] }), cloud })).toBe(good);
  });
});
