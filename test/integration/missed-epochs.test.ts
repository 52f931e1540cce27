import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Enforcement } from '../../shared/lease/lease-token.ts';
import type { Ended, Place } from '../fixtures/die-in-epoch-move.ts';
import { type TestOrg, testOrg } from '../helpers/kms-org.ts';
import { type LeasedBox, leasedBox } from '../helpers/leased-box.ts';

const PROCESS = fileURLToPath(new URL('../fixtures/die-in-epoch-move.ts', import.meta.url));
const HALL = { org: 'acme', tenant: 'hall' };
const GUESTS = 3;
/** `npm run drill:cloud-crash` takes each write. */
const EVERY = Number(process.env.CRASH_EVERY ?? 30);

/** A box whose tenant gets other keys while it is away. */
class AbsentBox {
  readonly #org: TestOrg;
  readonly #box: LeasedBox;
  readonly #lease: { seconds: number; enforcement: Enforcement };
  newest = 1;

  private constructor(org: TestOrg, box: LeasedBox, enforcement: Enforcement) {
    this.#org = org;
    this.#box = box;
    this.#lease = { seconds: 3600, enforcement };
  }

  /** It has guests, in the first epoch. */
  static async make(enforcement: Enforcement): Promise<AbsentBox> {
    const org = await testOrg('software', { epochsPerOrg: 10_000, exportsPerDevice: 10_000, exportsPerTenant: 10_000 });
    const absent = new AbsentBox(org, await leasedBox(org), enforcement);
    await absent.assign();
    expect(await absent.comes({ guests: GUESTS })).toMatchObject({ epoch: 1, guests: GUESTS, failure: null });
    return absent;
  }

  async assign(): Promise<void> {
    await this.#box.assign(3600, { lease: this.#lease });
  }

  async leaves(): Promise<void> {
    await this.#org.kms.client.call('endAssignment', { ...HALL, device: this.#box.id });
  }

  /** @returns the epochs that are made meanwhile */
  async misses(count: number): Promise<number[]> {
    const made = Array.from({ length: count }, (_, index) => this.newest + index + 1);
    for (const epoch of made) await this.#org.kms.client.call('createEpoch', { ...HALL, epoch });
    this.newest += count;
    return made;
  }

  /** Of a tenant that no box is waited for. */
  async destroy(epochs: readonly number[]): Promise<void> {
    for (const epoch of epochs) await this.#org.kms.client.call('destroyEpoch', { ...HALL, epoch });
  }

  /** While it had left: of the keys that are not the newest then, so many are destroyed. */
  async missesAndLoses(count: number, gone: number): Promise<void> {
    const before = this.newest;
    await this.leaves();
    await this.misses(count);
    await this.destroy(Array.from({ length: gone }, (_, index) => before + index));
    await this.assign();
  }

  /** @returns undefined where it was killed */
  async comes({ guests = 0, left }: { guests?: number; left?: number } = {}): Promise<Ended | undefined> {
    const { id: box, dataDir, keyDir, kmsKeys } = this.#box;
    const place: Place = {
      open: { scope: { ...HALL, box }, dataDir, keyDir, lease: { kmsKeys: { keySet: kmsKeys } }, logLevel: 'silent' },
      ...{ kmsSocket: this.#org.kms.socket, guests },
      ...(left === undefined ? {} : { left }),
    };
    const child = spawn(process.execPath, [PROCESS, JSON.stringify(place)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [said, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect([code, signal]).toBeOneOf([
      [0, null],
      [null, 'SIGKILL'],
    ]);
    return code === 0 ? (JSON.parse(said) as Ended) : undefined;
  }

  /** That it is where its KMS wants it, whole, and that the KMS knows. */
  async isThere(ended: Ended | undefined, when: string): Promise<void> {
    expect(ended, when).toMatchObject({ epoch: this.newest, guests: GUESTS, failure: null });
    for (let epoch = 1; epoch < this.newest; epoch += 1) {
      const { boxes } = await this.#org.kms.client.call('getMove', { ...HALL, epoch });
      expect(boxes, `${when}: epoch ${epoch}`).toEqual([{ device: this.#box.id, state: 'moved' }]);
    }
  }
}

test('a box that missed epochs moves to the newest one as long as the key of its files is there, and has lost them where it is gone', async () => {
  const box = await AbsentBox.make('memory');
  for (const count of [2, 3]) {
    await box.misses(count);
    await box.isThere(await box.comes(), `${count} were missed`);
    await box.leaves();
    const missed = await box.misses(count);
    // Of those between it needs none.
    await box.destroy(missed.slice(0, -1));
    await box.assign();
    await box.isThere(await box.comes(), `${count} were missed while it had left`);
  }
  await box.leaves();
  const { newest } = box;
  await box.misses(2);
  await box.destroy([newest]);
  await box.assign();
  expect(await box.comes(), 'one of a later time opens nothing of it').toMatchObject({ guests: 0, failure: 'epoch_lost' });
}, 60_000);

test('a box whose key the KMS has no more moves by its lease of it, whether keys between are there or not', async () => {
  const box = await AbsentBox.make('software');
  for (const gone of [1, 2, 3]) {
    await box.missesAndLoses(3, gone);
    await box.isThere(await box.comes(), `${gone} keys are gone`);
  }
}, 60_000);

test.each(['memory', 'software'] as const)(
  'a box under leases of %s that is killed (-9) before any write of a move over several epochs moves all the same when it comes again',
  async (enforcement) => {
    const box = await AbsentBox.make(enforcement);
    let deaths = 0;
    for (let ended: Ended | undefined; ended === undefined; ) {
      const left = deaths * EVERY + 1;
      const count = 2 + (deaths % 2);
      // Who keeps no lease over that needs the KMS. To the other one it gives no key of the files any more.
      if (enforcement === 'memory') await box.misses(count);
      else await box.missesAndLoses(count, 1 + (deaths % count));
      ended = await box.comes({ left });
      if (ended === undefined) deaths += 1;
      await box.isThere(await box.comes(), `killed before write ${left}`);
    }
    expect(deaths * EVERY).toBeGreaterThan(40);
  },
  120_000 + 600_000 / EVERY,
);
