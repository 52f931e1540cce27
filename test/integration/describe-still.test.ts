import { readFile } from 'node:fs/promises';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../edge/config/load-config.ts';
import type { RgbImage } from '../../edge/inference/image.ts';
import { type OpenStages, openStages } from '../../edge/open-stages.ts';
import { describeStill } from '../../edge/pipeline/describe-still.ts';
import type { Stages } from '../../edge/pipeline/stages.ts';
import { embeddedModels } from '../helpers/embedded-models.ts';
import { type Person, twoPeople } from '../helpers/people.ts';
import { samplePhotos } from '../helpers/sample-photos.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';

let engine: OpenStages;
let people: [Person, Person];
let photos: string[];

beforeAll(async () => {
  await embeddedModels();
  const config = parseConfig({ dataDir: '-', keyDir: '-', tenants: [{ id: 'north', org: 'acme' }] });
  engine = await openStages(config, testLogger());
  people = await twoPeople();
  photos = await samplePhotos();
}, 120_000);

afterAll(() => engine.stages.stop());

const cosine = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
const photo = (number: number): Promise<Buffer> => readFile(photos[number - 1] ?? '');

test('one good face gives one embedding of unit length, near to that of another picture of the person and of nobody else', async () => {
  const [first, second] = people;
  const { shot, embedding } = await describeStill(engine.stages, first.toEnrol, 'enrol');
  expect(shot.rejections).toEqual([]);
  expect(embedding.length).toBe(512);
  expect(cosine(embedding, embedding)).toBeCloseTo(1, 5);
  expect(cosine(embedding, (await describeStill(engine.stages, first.toShow, 'enrol')).embedding)).toBeGreaterThan(0.6);
  expect(cosine(embedding, (await describeStill(engine.stages, second.toEnrol, 'enrol')).embedding)).toBeLessThan(engine.matchThreshold);
});

test('nothing of a picture stays but what the caller gets, and not even that of one that is refused', async () => {
  const [{ toEnrol }] = people;
  const pictures: RgbImage[] = [];
  const watched = (embedStill: Stages['embedStill']): Stages => {
    const { stages } = engine;
    return {
      embedStill,
      detectStill: (image) => {
        pictures.push(image);
        return stages.detectStill(image);
      },
      analyse: async (...looked) => {
        const shots = await stages.analyse(...looked);
        pictures.push(...shots.map(({ aligned }) => aligned));
        return shots;
      },
    } as Stages;
  };
  const left = (): boolean[] => pictures.splice(0).map(({ data }) => data.some((value) => value !== 0));
  await describeStill(
    watched((aligned) => engine.stages.embedStill(aligned)),
    toEnrol,
    'enrol',
  );
  expect(left()).toEqual([false, true]);
  const out = watched(() => Promise.reject(new Error('the embedder is out')));
  await expect(describeStill(out, toEnrol, 'enrol')).rejects.toThrow('the embedder is out');
  expect(left()).toEqual([false, false]);
  const blurred = await sharp(toEnrol).blur(4).toBuffer();
  await expect(describeStill(out, blurred, 'enrol')).rejects.toMatchObject({ code: 'poor_face' });
  expect(left()).toEqual([false, false]);
});

test('a picture without a face is refused', async () => {
  const wall = await sharp({ create: { width: 640, height: 480, channels: 3, background: '#7a6a5a' } })
    .jpeg()
    .toBuffer();
  await expect(describeStill(engine.stages, wall, 'enrol')).rejects.toMatchObject({ code: 'no_face' });
});

test('a picture of five people is refused with their number', async () => {
  await expect(describeStill(engine.stages, await photo(5), 'enrol')).rejects.toMatchObject({
    code: 'several_faces',
    details: { faces: 5 },
  });
});

test('a small face in the background does not hide who is meant', async () => {
  const [guest, bystander] = people;
  const small = await sharp(bystander.toShow).resize({ height: 110 }).toBuffer();
  const both = await sharp({ create: { width: 900, height: 500, channels: 3, background: '#707070' } })
    .composite([
      { input: guest.toShow, left: 60, top: 60 },
      { input: small, left: 700, top: 60 },
    ])
    .jpeg()
    .toBuffer();
  const [alone, withBystander] = [
    await describeStill(engine.stages, guest.toEnrol, 'enrol'),
    await describeStill(engine.stages, both, 'enrol'),
  ];
  expect(cosine(alone.embedding, withBystander.embedding)).toBeGreaterThan(0.6);
});

test('a face that the edge of the picture cuts does not hide who is meant, a whole one beside it does', async () => {
  const [guest, other] = people;
  const side = (await sharp(other.toShow).metadata()).width;
  const both = await sharp({ create: { width: 1100, height: 500, channels: 3, background: '#707070' } })
    .composite([
      { input: guest.toShow, left: 60, top: 60 },
      { input: other.toShow, left: 600, top: 60 },
    ])
    .png()
    .toBuffer();
  const upTo = (width: number): Promise<Buffer> => sharp(both).extract({ left: 0, top: 0, width, height: 500 }).jpeg().toBuffer();
  const alone = await describeStill(engine.stages, guest.toEnrol, 'enrol');
  const cut = await describeStill(engine.stages, await upTo(600 + Math.round(side * 0.6)), 'enrol');
  expect(cosine(alone.embedding, cut.embedding)).toBeGreaterThan(0.6);
  await expect(describeStill(engine.stages, await upTo(1100), 'enrol')).rejects.toMatchObject({ details: { faces: 2 } });
});

test('a search takes a picture that an enrolment refuses', async () => {
  const small = await sharp(people[0].toShow).resize({ height: 80 }).jpeg().toBuffer();
  await expect(describeStill(engine.stages, small, 'enrol')).rejects.toMatchObject({ code: 'poor_face' });
  const [enrolled, searched] = [
    await describeStill(engine.stages, people[0].toEnrol, 'enrol'),
    await describeStill(engine.stages, small, 'search'),
  ];
  expect(cosine(enrolled.embedding, searched.embedding)).toBeGreaterThan(0.6);
});

test.each([
  ['blurred', (picture: Sharp) => picture.blur(5)],
  [
    'too_small',
    (picture: Sharp) => picture.resize({ height: 70 }).extend({ top: 200, bottom: 200, left: 200, right: 200, background: '#707070' }),
  ],
  ['roll', (picture: Sharp) => picture.rotate(38, { background: '#707070' })],
] as const)('a poor face is refused with its reasons: %s', async (reason, spoil) => {
  const spoilt = await spoil(sharp(people[0].toShow)).jpeg().toBuffer();
  const refusal = await describeStill(engine.stages, spoilt, 'enrol').catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'poor_face' });
  expect((refusal as { details: { reasons: string[] } }).details.reasons).toContain(reason);
});

test('a face in full profile is refused for its yaw', async () => {
  const profile = await sharp(await photo(2))
    .extract({ left: 60, top: 60, width: 720, height: 720 })
    .jpeg()
    .toBuffer();
  const refusal = await describeStill(engine.stages, profile, 'enrol').catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'poor_face' });
  expect((refusal as { details: { reasons: string[] } }).details.reasons).toContain('yaw');
});
