import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { APPLIANCE_SCHEMA } from '../../edge/appliance/appliance-schema.ts';
import { StoredModels } from '../../edge/appliance/stored-models.ts';
import { ModelChoice } from '../../edge/box/model-choice.ts';
import type { ActualModels } from '../../edge/link/desired/box-state.ts';
import { describeStill } from '../../edge/pipeline/describe-still.ts';
import { pause } from '../../edge/runtime/pause.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import { modelFolder } from '../helpers/model-folder.ts';
import { twoPeople } from '../helpers/people.ts';
import { installScrfd, scrfdMissing } from '../helpers/scrfd-model.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';

const PATIENTLY = { timeout: 120_000, interval: 20 };
const SCRFD = 'scrfd-10g-bnkps';
const APPLIED = { state: 'applied', reason: null };

/** The models of a box; what it keeps of them outlives a restart. */
class Place {
  readonly store = new Database(':memory:');
  readonly told: ActualModels[] = [];
  readonly modelsDir: string;
  choice!: ModelChoice;

  private constructor(modelsDir: string) {
    this.modelsDir = modelsDir;
    for (const step of APPLIANCE_SCHEMA) this.store.exec(step);
  }

  static async make(modelsDir?: string): Promise<Place> {
    const place = new Place(modelsDir ?? (await modelFolder()));
    onTestFinished(() => place.choice.stop());
    return place;
  }

  async start(set?: string): Promise<ModelChoice> {
    const { store, modelsDir, told } = this;
    const choice = new ModelChoice({
      config: { models: set === undefined ? {} : { set }, modelsDir, inference: { provider: 'cpu', workers: 2 } },
      stored: () => new StoredModels(store),
      onChange: () => told.push(choice.actual),
      waits: new BackOff(100, 500),
      logger: testLogger('edge'),
    });
    this.choice = choice;
    await choice.start();
    return choice;
  }
}

const standing = (choice: ModelChoice) => ({ set: choice.actual.set, ...choice.actual.standing });

test('a set that cannot take over leaves the one that is at work where it is, and its code says why', async () => {
  // Nothing is to be fetched from anywhere.
  vi.stubEnv('npm_config_registry', 'http://127.0.0.1:9');
  vi.stubEnv('npm_config_fetch_retries', '0');
  onTestFinished(() => void vi.unstubAllEnvs());
  const place = await Place.make();
  const choice = await place.start();
  expect(choice.actual).toMatchObject({ set: 'embedded', fixed: false, chosen: null, standing: APPLIED });
  expect(choice.actual.files.map(({ id }) => id)).toEqual(['ultraface-320', 'landmarks-68', 'faceplugin-512']);
  const threads = choice.running.now;

  for (const [set, state, reason] of [
    // Everybody who is enrolled would be a stranger.
    ['antelopev2', 'failed', 'embedder_differs'],
    ['nonesuch', 'failed', 'model_unknown'],
    ['../../etc/passwd', 'failed', 'model_unknown'],
    ['constructor', 'failed', 'model_unknown'],
    ['scrfd-10g', 'waiting', 'model_licence'],
  ] as const) {
    choice.choose(set);
    await expect.poll(() => standing(choice), PATIENTLY).toEqual({ set: 'embedded', state, reason });
  }
  choice.choose(null);
  await expect.poll(() => standing(choice), PATIENTLY).toEqual({ set: 'embedded', ...APPLIED });
  expect(choice.running.now, 'the threads are the ones from before').toBe(threads);
}, 300_000);

test('a set that the configuration file names stays, and what it leaves is not given up for another embedding model', async () => {
  const place = await Place.make();
  const fixed = await place.start('embedded');
  fixed.choose('nonesuch');
  expect(fixed.actual).toMatchObject({ set: 'embedded', fixed: true, standing: APPLIED });
  await fixed.stop();
  new StoredModels(place.store).keepLast({ set: 'antelopev2', embedder: 'glintr100' });
  // Its own set embeds otherwise: to start by that would make strangers of all guests.
  await expect(place.start()).rejects.toMatchObject({ code: 'model_missing' });
});

test('a disk that takes nothing is no reason to end', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
  onTestFinished(() => void vi.useRealTimers());
  const place = await Place.make();
  const choice = await place.start();
  place.store.close();
  vi.advanceTimersByTime(600_000);
  expect(choice.running.now.set).toBe('embedded');
}, 300_000);

describe.skipIf(scrfdMissing)('with another detector (needs the test models beside the checkout)', () => {
  test('it takes over beside the work that goes on, who is enrolled is still known, and back it goes as well', async () => {
    const place = await Place.make();
    await installScrfd(place.modelsDir);
    const choice = await place.start();
    const [ada] = await twoPeople();
    const describeAda = () => choice.running.use(({ stages }) => describeStill(stages, ada.toShow, 'search'));
    const enrolled = (await choice.running.use(({ stages }) => describeStill(stages, ada.toEnrol, 'enrol'))).embedding;
    let [looking, looks, before] = [true, 0, choice.running.now];
    const cosines: number[] = [];
    const look = async (): Promise<void> => {
      while (looking) {
        const { embedding } = await describeAda();
        cosines.push(embedding.reduce((sum, value, index) => sum + value * (enrolled[index] ?? 0), 0));
        looks += 1;
        // As a camera does, it leaves time for others.
        await pause(100, new AbortController().signal);
      }
    };
    const looker = look();
    onTestFinished(() => {
      looking = false;
    });
    for (const set of ['scrfd-10g', null]) {
      choice.choose(set);
      expect(choice.actual).toMatchObject({ set: before.set, chosen: set, standing: { state: 'waiting', reason: null } });
      await expect.poll(() => standing(choice), PATIENTLY).toEqual({ set: set ?? 'embedded', ...APPLIED });
      expect(choice.running.now).not.toBe(before);
      await expect(before.stages.detect({ width: 1, height: 1, data: Buffer.alloc(3) }), 'those before have ended').rejects.toMatchObject({
        code: 'stopped',
      });
      before = choice.running.now;
      const then = looks;
      await expect.poll(() => looks, PATIENTLY).toBeGreaterThan(then + 3);
    }
    looking = false;
    // None was given up, and Ada was Ada to each.
    await looker;
    expect(Math.min(...cosines)).toBeGreaterThan(choice.running.now.matchThreshold);
  }, 300_000);

  test('models that somebody brings later are taken then, with a licence that somebody has accepted here', async () => {
    const place = await Place.make();
    const choice = await place.start();
    choice.choose('scrfd-10g');
    await expect.poll(() => standing(choice), PATIENTLY).toEqual({ set: 'embedded', state: 'waiting', reason: 'model_licence' });
    await installScrfd(place.modelsDir, { acceptedLicence: null });
    const tries = place.told.length;
    await expect.poll(() => place.told.length, PATIENTLY).toBeGreaterThan(tries + 1);
    expect(standing(choice)).toEqual({ set: 'embedded', state: 'waiting', reason: 'model_licence' });
    await installScrfd(place.modelsDir);
    await expect.poll(() => standing(choice), PATIENTLY).toEqual({ set: 'scrfd-10g', ...APPLIED });
    expect(choice.actual.files.map(({ id }) => id)).toEqual([SCRFD, 'faceplugin-512']);
  }, 300_000);

  test('a file that is no model of its kind is found before anything depends on it', async () => {
    const place = await Place.make();
    const choice = await place.start();
    await installScrfd(place.modelsDir, { modelSha256: '0'.repeat(64) });
    choice.choose('scrfd-10g');
    // Another file than the one that was installed is fetched anew, which somebody has to do for this one.
    await expect.poll(() => standing(choice), PATIENTLY).toEqual({ set: 'embedded', state: 'waiting', reason: 'model_licence' });
  }, 300_000);

  test('a box that ends amid the way goes on with it when it is there again, and works by what it worked by', async () => {
    const place = await Place.make();
    await installScrfd(place.modelsDir);
    const first = await place.start();
    first.choose('scrfd-10g');
    await first.stop();
    const second = await place.start();
    expect(second.actual).toMatchObject({ set: 'embedded', chosen: 'scrfd-10g', standing: { state: 'waiting' } });
    await expect.poll(() => standing(second), PATIENTLY).toEqual({ set: 'scrfd-10g', ...APPLIED });
    await second.stop();
    const third = await place.start();
    expect(standing(third)).toEqual({ set: 'scrfd-10g', ...APPLIED });
    await third.stop();

    // The disk has lost it: the box works by its own again, and says so.
    await rm(join(place.modelsDir, SCRFD), { recursive: true });
    const fourth = await place.start();
    expect(fourth.actual.set).toBe('embedded');
    await expect.poll(() => standing(fourth), PATIENTLY).toEqual({ set: 'embedded', state: 'waiting', reason: 'model_licence' });
    await installScrfd(place.modelsDir);
    await expect.poll(() => standing(fourth), PATIENTLY).toEqual({ set: 'scrfd-10g', ...APPLIED });
  }, 300_000);

  test('a set by which the daemon never lasts is given up, until somebody chooses it once more', async () => {
    const place = await Place.make();
    await installScrfd(place.modelsDir);
    /** As the kernel does: nothing of the end is written down. */
    const kill = async (choice: ModelChoice): Promise<void> => choice.running.stop();
    const chosen = await place.start();
    // With both in memory it dies.
    vi.spyOn(chosen.running, 'replace').mockImplementation(async ({ stages }) => {
      await stages.stop();
      await new Promise(() => undefined);
    });
    chosen.choose('scrfd-10g');
    await expect.poll(() => new StoredModels(place.store).begun, PATIENTLY).toBe(1);
    await expect.poll(() => vi.mocked(chosen.running.replace).mock.calls.length, PATIENTLY).toBe(1);
    await kill(chosen);
    for (let starts = 1; starts <= 2; starts += 1) {
      const again = await place.start();
      expect(standing(again), `start ${starts}`).toEqual({ set: 'scrfd-10g', ...APPLIED });
      await kill(again);
    }
    const givenUp = await place.start();
    await expect.poll(() => standing(givenUp), PATIENTLY).toEqual({ set: 'embedded', state: 'failed', reason: 'models_given_up' });
    await kill(givenUp);
    const still = await place.start();
    await expect.poll(() => standing(still), PATIENTLY).toEqual({ set: 'embedded', state: 'failed', reason: 'models_given_up' });

    still.choose(null);
    still.choose('scrfd-10g');
    await expect.poll(() => standing(still), PATIENTLY).toEqual({ set: 'scrfd-10g', ...APPLIED });
    // Ended in good order as often as one likes, it stays.
    await still.stop();
    for (let starts = 1; starts <= 4; starts += 1) {
      const again = await place.start();
      expect(standing(again), `start ${starts}`).toEqual({ set: 'scrfd-10g', ...APPLIED });
      await again.stop();
    }
    // So it does where it has lasted once between two ends that it was not told of.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
    onTestFinished(() => void vi.useRealTimers());
    for (let starts = 1; starts <= 5; starts += 1) {
      const again = await place.start();
      expect(standing(again), `start ${starts}`).toEqual({ set: 'scrfd-10g', ...APPLIED });
      if (starts === 3) vi.advanceTimersByTime(600_000);
      await kill(again);
      vi.clearAllTimers();
    }
  }, 300_000);
});
