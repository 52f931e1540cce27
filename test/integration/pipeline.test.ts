import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../edge/config/load-config.ts';
import type { RgbImage } from '../../edge/inference/image.ts';
import { type Region, resize } from '../../edge/inference/resize.ts';
import { type OpenStages, openStages } from '../../edge/open-stages.ts';
import { decodeStill } from '../../edge/pipeline/decode/decode-still.ts';
import { describeStill } from '../../edge/pipeline/describe-still.ts';
import type { Box, Detection, FaceShot, Frame } from '../../edge/pipeline/frame.ts';
import { Pipeline, WAITING_FRAMES } from '../../edge/pipeline/pipeline.ts';
import type { ModelsAtWork, PipelineCounters, PipelineOptions } from '../../edge/pipeline/pipeline-options.ts';
import { StageTimes } from '../../edge/pipeline/stage-times.ts';
import type { Stages } from '../../edge/pipeline/stages.ts';
import { systemClock } from '../../edge/runtime/clock.ts';
import { Quantiles } from '../../edge/runtime/quantiles.ts';
import { type Sighting, sightingSchema } from '../../shared/messages/events.ts';
import { embeddedModels } from '../helpers/embedded-models.ts';
import { twoPeople } from '../helpers/people.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';

const WIDTH = 1280;
const HEIGHT = 720;
const STEP_MS = 200;
const logger = testLogger();
let engine: OpenStages;
/** Two people, each in two pictures: one to enrol from, one to show. */
let people: { enrolled: Float32Array; shown: RgbImage }[];

beforeAll(async () => {
  await embeddedModels();
  engine = await openStages(parseConfig({ dataDir: '-', keyDir: '-', tenants: [{ id: 'north', org: 'acme' }] }), logger);
  people = await Promise.all(
    (await twoPeople()).map(async ({ toEnrol, toShow }) => {
      const { embedding } = await describeStill(engine.stages, toEnrol, 'enrol');
      return { enrolled: embedding, shown: await decodeStill(toShow) };
    }),
  );
}, 120_000);

afterAll(() => engine.stages.stop());

/** A grey picture with people pasted at the given places. */
function scene(sequence: number, pasted: readonly { image: RgbImage; x: number; y: number }[], released: number[]): Frame {
  const data = new Uint8Array(new SharedArrayBuffer(WIDTH * HEIGHT * 3)).fill(96);
  for (const { image, x, y } of pasted) {
    for (let row = 0; row < image.height; row += 1) {
      const from = row * image.width * 3;
      data.set(image.data.subarray(from, from + image.width * 3), ((y + row) * WIDTH + x) * 3);
    }
  }
  return {
    tenant: 'north',
    camera: 'door',
    sequence,
    mediaMs: sequence * STEP_MS,
    arrivedAt: 1_700_000_000_000 + sequence * STEP_MS,
    arrivedMonotonic: performance.now(),
    width: WIDTH,
    height: HEIGHT,
    data,
    release: () => released.push(sequence),
  };
}

function pipelineOf(
  gallery: ReadonlyMap<string, Float32Array>,
  { stages = engine.stages, ...overrides }: Partial<PipelineOptions & { stages: ModelsAtWork['stages'] }> = {},
) {
  const sightings: Sighting[] = [];
  const seen: Float32Array[] = [];
  const times = new StageTimes();
  const counters: PipelineCounters = { frames: 0, skipped: 0, tracks: 0, failures: 0, rejections: new Map() };
  const pipeline = new Pipeline({
    tenant: 'north',
    camera: 'door',
    tiles: undefined,
    threshold: engine.matchThreshold,
    unmatchedTtlMs: 10_000,
    byModels: (work) => work({ stages, models: engine.models, fields: engine.fields }),
    search: async (embeddings) => {
      seen.push(...embeddings);
      return embeddings.map((embedding) =>
        Array.from(gallery, ([customerId, enrolled]) => ({
          customerId,
          score: enrolled.reduce((sum, value, index) => sum + value * (embedding[index] ?? 0), 0),
        })),
      );
    },
    onSighting: (sighting) => sightings.push(sightingSchema.parse(sighting)),
    counters,
    latency: new Quantiles(),
    times,
    clock: systemClock,
    logger,
    ...overrides,
  });
  return { pipeline, sightings, counters, seen, times };
}

/** Shows frames one after the other, each when the one before is done, as a camera with time to spare would. */
async function show(pipeline: Pipeline, counters: PipelineCounters, frames: readonly Frame[]): Promise<void> {
  for (const frame of frames) {
    const before = counters.frames + counters.failures;
    pipeline.push(frame);
    while (counters.frames + counters.failures === before) await new Promise((resolve) => setImmediate(resolve));
  }
}

function person(index: number): (typeof people)[number] {
  const found = people[index];
  if (found === undefined) throw new Error(`there is no person ${index}`);
  return found;
}

const walk = (index: number, steps: number, released: number[], y = 200): Frame[] =>
  Array.from({ length: steps }, (_, step) => scene(step, [{ image: person(index).shown, x: 200 + step * 40, y }], released));

test('a customer who walks by is one sighting, told at once and again at the end', async () => {
  const { pipeline, sightings, counters, seen, times } = pipelineOf(new Map([['cus_a', person(0).enrolled]]));
  const released: number[] = [];
  pipeline.start();
  await show(pipeline, counters, walk(0, 12, released));
  await pipeline.stop();
  expect(sightings.map(({ phase, outcome, customerId }) => [phase, outcome, customerId])).toEqual([
    ['begun', 'person', 'cus_a'],
    ['ended', 'person', 'cus_a'],
  ]);
  expect(new Set(sightings.map(({ id }) => id)).size).toBe(1);
  expect(sightings[1]).toMatchObject({ track: 1, media: { startMs: 0, endMs: 11 * STEP_MS }, votes: 3 });
  expect(sightings[1]?.score).toBeGreaterThan(0.5);
  // Recognised once, then left alone.
  expect(seen.length).toBe(3);
  expect(released).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(counters).toMatchObject({ frames: 12, skipped: 0, tracks: 1, failures: 0 });
  const { detect, analyse, embed, search, frame, candidates } = times.values();
  // A face each, and one vote.
  expect([frame.count, detect.count, embed.count, search.count, candidates.count]).toEqual([12, 12, 3, 1, 1]);
  expect(candidates.sumSeconds).toBeGreaterThan(search.sumSeconds);
  expect(analyse.count).toBeGreaterThanOrEqual(3);
  expect(detect.sumSeconds).toBeGreaterThan(0);
  expect(frame.sumSeconds).toBeGreaterThan(detect.sumSeconds + analyse.sumSeconds);
});

test('an empty room is looked at once a second, and at once when somebody comes in', async () => {
  const { pipeline, sightings, counters, times } = pipelineOf(new Map([['cus_a', person(0).enrolled]]));
  const looks = (): number => times.values().detect.count;
  pipeline.start();
  await show(
    pipeline,
    counters,
    Array.from({ length: 13 }, (_, step) => scene(step, [], [])),
  );
  expect(looks()).toBe(3);
  const standing = [{ image: person(0).shown, x: 400, y: 200 }];
  await show(
    pipeline,
    counters,
    Array.from({ length: 10 }, (_, step) => scene(13 + step, standing, [])),
  );
  // Every single one, although nothing moves any more.
  expect(looks()).toBe(13);
  await pipeline.stop();
  expect(sightings.at(-1)).toMatchObject({ phase: 'ended', customerId: 'cus_a', media: { startMs: 13 * STEP_MS, endMs: 22 * STEP_MS } });
  expect(counters).toMatchObject({ frames: 23, tracks: 1 });
});

test("who is out of the detector's sight for a moment is looked for in every picture", async () => {
  const { pipeline, sightings, counters, times } = pipelineOf(new Map([['cus_a', person(0).enrolled]]));
  const standing = [{ image: person(0).shown, x: 400, y: 200 }];
  pipeline.start();
  const seen = [true, true, true, true, false, false, false, true, true];
  await show(
    pipeline,
    counters,
    seen.map((there, step) => scene(step, there ? standing : [], [])),
  );
  await pipeline.stop();
  expect(times.values().detect.count).toBe(seen.length);
  expect(sightings.filter(({ phase }) => phase === 'ended').length).toBe(1);
});

test('while somebody is in view only parts are looked at, and who joins them is found in the next picture', async () => {
  const looks: ('whole' | readonly Region[])[] = [];
  const found: number[] = [];
  const counted = async (where: 'whole' | readonly Region[], work: Promise<Detection[]>): Promise<Detection[]> => {
    looks.push(where);
    found.push((await work).length);
    return work;
  };
  const { stages } = engine;
  const watched = {
    detect: (...looked: Parameters<Stages['detect']>) => counted('whole', stages.detect(...looked)),
    detectIn: (image: RgbImage, parts: readonly Region[]) => counted(parts, stages.detectIn(image, parts)),
    analyse: (...looked: Parameters<Stages['analyse']>) => stages.analyse(...looked),
    embed: (face: RgbImage) => stages.embed(face),
  } as Partial<Stages> as Stages;
  const { pipeline, sightings, counters } = pipelineOf(new Map(), { stages: watched });
  const standing = { image: person(0).shown, x: 100, y: 200 };
  const { shown } = person(1);
  const joining = { image: resize(shown, Math.round(shown.width * 0.7), Math.round(shown.height * 0.7)), x: 900, y: 250 };
  pipeline.start();
  await show(
    pipeline,
    counters,
    Array.from({ length: 14 }, (_, step) => scene(step, step < 7 ? [standing] : [standing, joining], [])),
  );
  await pipeline.stop();
  // One still face, then two; the whole once a second.
  expect(found).toEqual([1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2]);
  expect(looks.map((where) => (where === 'whole' ? where : where.length))).toEqual([
    ...['whole', 1, 1, 1, 1],
    ...['whole', 1, 2, 2, 2],
    ...['whole', 2, 2, 2],
  ]);
  for (const where of looks) {
    if (where === 'whole') continue;
    expect(where.reduce((sum, { width, height }) => sum + width * height, 0)).toBeLessThan(0.61 * WIDTH * HEIGHT);
  }
  const began = sightings.flatMap(({ phase, media }) => (phase === 'ended' ? media.startMs : []));
  // Whose vote is counted first ends first.
  expect(began.sort((a, b) => a - b)).toEqual([0, 7 * STEP_MS]);
});

test('a stranger is unknown and leaves neither name nor numbers behind', async () => {
  const { pipeline, sightings, counters, seen } = pipelineOf(new Map([['cus_a', person(0).enrolled]]));
  pipeline.start();
  await show(pipeline, counters, walk(1, 12, []));
  await pipeline.stop();
  expect(sightings.map(({ phase, outcome, customerId }) => [phase, outcome, customerId])).toEqual([['ended', 'unknown', null]]);
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.every((embedding) => embedding.every((value) => value === 0))).toBe(true);
});

test('two people at once are two tracks, each with the own name and box', async () => {
  const gallery = new Map(people.map(({ enrolled }, index) => [`cus_${index}`, enrolled]));
  const { pipeline, sightings, counters } = pipelineOf(gallery);
  const frames = Array.from({ length: 8 }, (_, step) =>
    scene(
      step,
      [
        { image: person(0).shown, x: 100 + step * 20, y: 150 },
        { image: person(1).shown, x: 800 - step * 20, y: 200 },
      ],
      [],
    ),
  );
  pipeline.start();
  await show(pipeline, counters, frames);
  await pipeline.stop();
  const ended = sightings.filter(({ phase }) => phase === 'ended').sort((a, b) => a.box.x - b.box.x);
  expect(ended.map(({ customerId }) => customerId)).toEqual(['cus_0', 'cus_1']);
  const middle = (box: Box): number => box.x + box.width / 2;
  expect(middle(ended[0]?.box as Box)).toBeLessThan(640);
  expect(middle(ended[1]?.box as Box)).toBeGreaterThan(640);
});

test('a stream that begins anew ends the tracks of the one before', async () => {
  const { pipeline, sightings, counters } = pipelineOf(new Map([['cus_a', person(0).enrolled]]));
  pipeline.start();
  await show(pipeline, counters, walk(0, 6, []));
  await show(pipeline, counters, walk(0, 6, []));
  pipeline.cut();
  await pipeline.stop();
  const ended = sightings.filter(({ phase }) => phase === 'ended');
  expect(ended.map(({ media }) => [media.startMs, media.endMs])).toEqual([
    [0, 1000],
    [0, 1000],
  ]);
});

test('a camera that sets its clock back, or changes its picture, begins anew', async () => {
  const { pipeline, sightings, counters } = pipelineOf(new Map());
  const frames = walk(0, 9, []);
  const changed = frames.map((frame, step): Frame => {
    if (step < 3) return { ...frame, mediaMs: frame.mediaMs + 100_000 };
    if (step < 6) return frame;
    return { ...frame, height: HEIGHT - 2, data: frame.data.subarray(0, WIDTH * (HEIGHT - 2) * 3) };
  });
  pipeline.start();
  await show(pipeline, counters, changed);
  await pipeline.stop();
  const ended = sightings.filter(({ phase }) => phase === 'ended');
  expect(ended.map(({ media }) => [media.startMs, media.endMs])).toEqual([
    [100_000, 100_400],
    [600, 1000],
    [1200, 1600],
  ]);
});

test.each([
  ['resembles nobody', 0.1, 1],
  ['is in doubt', 0.42, 3],
])('a guest who comes in out of focus and %s is named once the camera sees her well', async (_how, blurredScore, blurredVotes) => {
  let seesHerWell = false;
  let votes = 0;
  const search = async (embeddings: Float32Array[]) => {
    votes += 1;
    return embeddings.map(() => [{ customerId: 'cus_a', score: seesHerWell ? 0.9 : blurredScore }]);
  };
  const { pipeline, sightings, counters } = pipelineOf(new Map(), { search });
  const { width, height, data } = person(1).shown;
  const small = sharp(data, { raw: { width, height, channels: 3 } }).resize({ height: 160 });
  const pixels = async (picture: typeof small): Promise<RgbImage> => {
    const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data };
  };
  const [sharply, blurred] = [await pixels(small.clone()), await pixels(small.clone().blur(2.4))];
  const frames = Array.from({ length: 60 }, (_, step) => scene(step, [{ image: step < 30 ? blurred : sharply, x: 400, y: 200 }], []));
  pipeline.start();
  await show(pipeline, counters, frames.slice(0, 30));
  expect([sightings, votes]).toEqual([[], blurredVotes]);
  seesHerWell = true;
  await show(pipeline, counters, frames.slice(30));
  await pipeline.stop();
  expect(sightings.map(({ phase, outcome, customerId, track }) => [phase, outcome, customerId, track])).toEqual([
    ['begun', 'person', 'cus_a', 1],
    ['ended', 'person', 'cus_a', 1],
  ]);
});

test('a gallery that does not answer keeps no face waiting in memory', async () => {
  const asked: Float32Array[] = [];
  const { promise, resolve } = Promise.withResolvers<[]>();
  const search = (embeddings: Float32Array[]): Promise<[]> => {
    asked.push(...embeddings);
    return promise;
  };
  const { pipeline, counters } = pipelineOf(new Map(), { search });
  pipeline.start();
  await show(pipeline, counters, walk(0, 12, []));
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.every((embedding) => embedding.every((value) => value === 0))).toBe(true);
  resolve([]);
  await pipeline.stop();
});

test('a face that waits for its vote is overwritten when its time is over, also when no picture comes any more', async () => {
  const { stages } = engine;
  const shots: FaceShot[] = [];
  const kept = {
    detect: (...looked: Parameters<Stages['detect']>) => stages.detect(...looked),
    detectIn: (...looked: Parameters<Stages['detectIn']>) => stages.detectIn(...looked),
    analyse: async (...looked: Parameters<Stages['analyse']>) => {
      const made = await stages.analyse(...looked);
      shots.push(...made);
      return made;
    },
    embed: (face: RgbImage) => stages.embed(face),
  } as Partial<Stages> as Stages;
  let later = 0;
  const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + later };
  const { pipeline, counters } = pipelineOf(new Map(), { stages: kept, unmatchedTtlMs: 60_000, clock });
  pipeline.start();
  await show(pipeline, counters, walk(0, 3, []));
  const left = (): number => shots.filter(({ aligned }) => aligned.data.some((value) => value !== 0)).length;
  expect(shots.length).toBe(2);
  expect(left()).toBe(2);
  later = 60_000;
  await expect.poll(left).toBe(0);
  await pipeline.stop();
});

test('with the vault away nobody is named, nothing is kept, and the frames go on', async () => {
  const search = async (): Promise<never> => {
    throw new Error('the vault is away');
  };
  const { pipeline, sightings, counters } = pipelineOf(new Map(), { search });
  pipeline.start();
  await show(pipeline, counters, walk(0, 6, []));
  await pipeline.stop();
  expect(sightings.map(({ outcome, customerId }) => [outcome, customerId])).toEqual([['undecided', null]]);
  expect(counters.frames).toBe(6);
  expect(counters.failures).toBeGreaterThan(0);
});

test('while no picture can be looked at nobody stays in view, and who still stands there afterwards is seen anew', async () => {
  const { stages } = engine;
  let out = false;
  const shaky = {
    detect: (...looked: Parameters<Stages['detect']>) => (out ? Promise.reject(new Error('no thread')) : stages.detect(...looked)),
    detectIn: (...looked: Parameters<Stages['detectIn']>) => (out ? Promise.reject(new Error('no thread')) : stages.detectIn(...looked)),
    analyse: (...looked: Parameters<Stages['analyse']>) => stages.analyse(...looked),
    embed: (face: RgbImage) => stages.embed(face),
  } as Partial<Stages> as Stages;
  const { pipeline, sightings, counters } = pipelineOf(new Map([['cus_a', person(0).enrolled]]), { stages: shaky });
  const standing = Array.from({ length: 26 }, (_, step) => scene(step, [{ image: person(0).shown, x: 400, y: 200 }], []));
  const told = (): unknown[] => sightings.map(({ phase, customerId }) => [phase, customerId]);
  const once = [
    ['begun', 'cus_a'],
    ['ended', 'cus_a'],
  ];
  pipeline.start();
  await show(pipeline, counters, standing.slice(0, 6));
  await expect.poll(told).toEqual(once.slice(0, 1));
  out = true;
  await show(pipeline, counters, standing.slice(6, 18));
  await expect.poll(told).toEqual(once);
  out = false;
  await show(pipeline, counters, standing.slice(18));
  await pipeline.stop();
  expect(told()).toEqual([...once, ...once]);
  expect(new Set(sightings.map(({ id }) => id)).size).toBe(2);
  expect(counters).toMatchObject({ frames: 14, failures: 12 });
});

test('frames that come faster than they can be looked at are given up oldest first, and every one is given back', async () => {
  const { pipeline, counters } = pipelineOf(new Map());
  const released: number[] = [];
  pipeline.start();
  for (const frame of walk(0, 10, released)) pipeline.push(frame);
  expect(pipeline.waiting).toBe(WAITING_FRAMES);
  await pipeline.stop();
  expect(counters.frames + counters.skipped).toBe(10);
  expect(counters.skipped).toBeGreaterThan(0);
  expect(released.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('pixels are wanted where somebody may have come, and while it is not known what the frame before showed', async () => {
  const shown: number[] = [];
  const { pipeline, counters, times } = pipelineOf(new Map(), { onLooked: ({ data }) => void shown.push(data.length) });
  const released: number[] = [];
  pipeline.start();
  const somebody = [{ image: person(0).shown, x: 200, y: 200 }];
  expect(pipeline.wants(scene(0, [], []))).toBe('reduced');
  await show(pipeline, counters, [scene(0, [], released)]);
  await expect.poll(() => pipeline.wants(scene(1, [], []))).toBe('nothing');
  expect(pipeline.wants(scene(1, somebody, []))).toBe('reduced');
  expect(pipeline.wants(scene(5, [], []))).toBe('reduced');
  // One that nobody wanted is counted, but nobody is looked for in it.
  await show(pipeline, counters, [{ ...scene(1, [], released), data: new Uint8Array() }]);
  expect(times.values().detect.count).toBe(1);
  expect(shown).toEqual([WIDTH * HEIGHT * 3, 0]);
  pipeline.push(scene(2, somebody, released));
  await new Promise((resolve) => setImmediate(resolve));
  expect(pipeline.wants(scene(3, [], []))).toBe('whole');
  await pipeline.stop();
  expect(counters).toMatchObject({ frames: 3, failures: 0 });
  expect(released).toEqual([0, 1, 2]);
});

test('the whole of a picture is only wanted while a face in it is to be recognised, which it is all the same', async () => {
  const { pipeline, sightings, counters } = pipelineOf(new Map([['cus_a', person(0).enrolled]]));
  const wanted: string[] = [];
  pipeline.start();
  for (const frame of walk(0, 20, [])) {
    const reduced = resize(frame, 320, 240);
    const pixels = pipeline.wants({ ...reduced, mediaMs: frame.mediaMs });
    wanted.push(pixels);
    await show(pipeline, counters, [{ ...frame, reduced, data: pixels === 'whole' ? frame.data : new Uint8Array() }]);
    // Until the vote that is under way is counted, another look may be needed.
    await expect.poll(() => wanted.length < 4 || sightings.length > 0).toBe(true);
  }
  await pipeline.stop();
  expect(wanted).toEqual(['reduced', 'whole', 'whole', 'whole', ...Array.from({ length: 16 }, () => 'reduced')]);
  expect(sightings.map(({ phase, customerId, votes }) => [phase, customerId, votes])).toEqual([
    ['begun', 'cus_a', 3],
    ['ended', 'cus_a', 3],
  ]);
  expect(counters).toMatchObject({ frames: 20, tracks: 1, failures: 0 });
});

test('tiles are looked at in the whole of every picture', () => {
  const { pipeline } = pipelineOf(new Map(), { tiles: { columns: 2, rows: 2, overlap: 0.2 } });
  expect(pipeline.wants(scene(0, [], []))).toBe('whole');
});

test('on a CPU as many faces are embedded at once as there are threads, and none waits for company', async () => {
  const inference = { provider: 'cpu', workers: 2 } as const;
  const { stages } = await openStages(
    parseConfig({ dataDir: '-', keyDir: '-', tenants: [{ id: 'north', org: 'acme' }], inference }),
    logger,
  );
  try {
    const faces = [0, 1, 2].map((level) => stages.embed({ width: 112, height: 112, data: new Uint8Array(112 * 112 * 3).fill(level * 90) }));
    expect(stages.waitingFaces).toBe(1);
    expect((await Promise.all(faces)).map(({ length }) => length)).toEqual([512, 512, 512]);
    expect(stages.waitingFaces).toBe(0);
  } finally {
    await stages.stop();
  }
});
