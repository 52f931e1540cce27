import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { KmsEntries } from '../../cloud/audit/kms-entries.ts';
import { EpochHorizon } from '../../cloud/shred/epoch-horizon.ts';
import { JobLeases } from '../../cloud/store/job-leases.ts';
import { newId } from '../../shared/ids/ids.ts';
import { verifyReceipt } from '../../shared/receipts/verify-receipt.ts';
import type { TestDevice } from '../helpers/kms.ts';
import { type TestOrg, testOrg } from '../helpers/kms-org.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { ShredPlace } from '../helpers/shred-place.ts';
import { hasSoftHsm } from '../helpers/soft-hsm.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const PATIENTLY = { timeout: 20_000, interval: 20 };
/** No lease is longer than the assignments of these boxes, and no backup of the HSM is kept for longer than seven days. */
const LEASES_ENDED_MS = 2 * 3_600_000;
const BACKUPS_ENDED_MS = 8 * 86_400_000;
const CLUB = { org: 'acme', tenant: 'club' };
/** Of a box whose own word alone counts. */
const SOFTWARE = { lease: { seconds: 3600, enforcement: 'software' } };

type Told = Record<string, string>;

class Deletions {
  readonly org: TestOrg;
  readonly place: ShredPlace;

  readonly #log: KmsEntries;

  private constructor(org: TestOrg, place: ShredPlace) {
    this.org = org;
    this.place = place;
    const { store, now } = place.ledger;
    this.#log = new KmsEntries({ db: store.db, kms: org.kms.client, now, random: randomBytes, logger: testLogger('cloud') });
  }

  static async make(): Promise<Deletions> {
    const org = await testOrg('softhsm', { epochsPerOrg: 1000, exportsPerDevice: 1000 });
    const deletions = new Deletions(org, await ShredPlace.make(org, { file: join(await tempFolder(), 'cloud.db') }));
    await deletions.place.tenant('club');
    return deletions;
  }

  get #kms() {
    return this.org.kms.client;
  }

  /** A box that never says a word to the control plane; the KMS may hear of it. */
  async silent(change: object = {}): Promise<TestDevice> {
    const device = await this.org.enrolled({ tenant: 'club' });
    await this.org.assign(device, { tenant: 'club', ...change });
    return device;
  }

  async leaves({ id: device }: { id: string }): Promise<void> {
    await this.#kms.call('endAssignment', { ...CLUB, device });
  }

  async isDenied({ id: device }: { id: string }): Promise<void> {
    await this.#kms.call('denyDevice', { device });
  }

  async saysMoved(device: TestDevice, epoch: number): Promise<void> {
    await this.#kms.call('acknowledgeMove', { token: await device.movedTo('acme', 'club', epoch) });
  }

  async next(epoch: number): Promise<void> {
    await this.#kms.call('createEpoch', { ...CLUB, epoch });
  }

  /** The KMS is killed over it, and started again. */
  async halfMakes(epoch: number): Promise<void> {
    const { kms } = this.org;
    await kms.stop();
    await kms.start('--import', new URL('../fixtures/cut-epoch-short.ts?after=made', import.meta.url).href);
    await expect(this.next(epoch)).rejects.toMatchObject({ code: 'kms_unavailable' });
    await kms.stop();
    await kms.start();
  }

  async erase(): Promise<string> {
    const { erasures } = this.place;
    return (await erasures.create('acme', 'club', erasures.newId(), newId('user'), [newId('customer')])).id;
  }

  /** What the control plane looks after by itself, once, so long after now; what the KMS does is in the log as it does it. */
  async look(laterMs = 0): Promise<void> {
    const { ledger, erasures } = this.place;
    const look = async (): Promise<void> => {
      await this.place.look();
      const leases = new JobLeases(ledger.store.db, { owner: newId('user'), now: ledger.now });
      await new EpochHorizon({ erasures, kms: this.#kms, leases, logger: testLogger('cloud') }).look();
    };
    ledger.at = Date.now();
    await look();
    await this.#log.fetch();
    ledger.at = Date.now() + laterMs;
    if (laterMs > 0) await look();
  }

  /** By the receipt, which proves itself: the state of each box and what decides it. */
  async told(id: string): Promise<Told> {
    const keys = [await this.#kms.call('signingKey', { use: 'audit' })];
    const { said } = await verifyReceipt(await this.place.receipts.ofErasure('acme', id), keys);
    return Object.fromEntries(said.boxes.map(({ device, state, because }) => [device, `${state} ${because}`]));
  }
}

describe.skipIf(!hasSoftHsm)('deletions on SoftHSM2 (skipped where it is not installed)', () => {
  test('an erasure ends whatever became of a box, but for one whose own word alone counts and that is not heard of', async () => {
    const all = await Deletions.make();
    const { place } = all;
    const heard = (await place.box('club')).box;
    const wiped = await place.box('club');
    const [left, denied, absent, file, unheard] = [
      await all.silent(),
      await all.silent(),
      await all.silent(),
      await all.silent(SOFTWARE),
      await all.silent(),
    ];
    const id = await all.erase();
    await all.leaves(left);
    await all.isDenied(denied);
    await all.look();
    // A box on which the tenant was wiped by hand has nobody to erase, and says that.
    for (const device of [heard.id, wiped.box.id]) await place.ledger.transport.connect(device);
    const words = async () => (await place.erasures.get('acme', id)).boxes.filter(({ state }) => state === 'erased').length;
    await expect.poll(words, PATIENTLY).toBe(2);

    const here = { [heard.id]: 'erased ack', [wiped.box.id]: 'erased ack' };
    const pending = (...boxes: TestDevice[]): Told => Object.fromEntries(boxes.map((box) => [box.id, 'pending null']));
    expect(await all.told(id)).toEqual({ ...here, ...pending(left, denied, absent, file, unheard) });
    await all.next(2);
    // It moved, and the control plane did not hear that it erased anybody; then its disk is put back, or it is gone as well.
    await all.saysMoved(unheard, 2);
    for (const box of [heard, wiped.box, absent, file]) await all.leaves(box);
    await all.look(1000);
    expect(await all.told(id), 'leases of the key that was destroyed run').toMatchObject(pending(left, denied, absent, file, unheard));

    const gone = (state: string, ...boxes: TestDevice[]): Told => Object.fromEntries(boxes.map((box) => [box.id, `${state} epoch_lost`]));
    await all.look(LEASES_ENDED_MS);
    expect(await all.told(id)).toMatchObject({ ...gone('erased', left, denied, absent), ...pending(file, unheard) });
    await all.leaves(unheard);
    await all.next(3);
    await all.look(BACKUPS_ENDED_MS);
    expect(await all.told(id)).toEqual({
      ...{ [heard.id]: 'unrecoverable hsm_horizon', [wiped.box.id]: 'unrecoverable hsm_horizon' },
      ...{ ...gone('unrecoverable', left, denied, absent, unheard), ...pending(file) },
    });
    expect((await place.erasures.get('acme', id)).settledAt, 'it may be heard of').toBeNull();
  }, 60_000);

  test('an erasure is done when all boxes that did not say so have lost the keys of their files, and no sooner', async () => {
    const all = await Deletions.make();
    const { place } = all;
    const [left, back] = [await all.silent(), await all.silent()];
    const id = await all.erase();
    for (const box of [left, back]) await all.leaves(box);
    await all.next(2);
    const view = async (laterMs: number) => {
      await all.look(laterMs);
      const { settledAt, boxes } = await place.erasures.get('acme', id);
      return [settledAt !== null, ...boxes.map(({ state }) => state)];
    };
    expect(await view(1000), 'leases run').toEqual([false, 'pending', 'pending']);
    // Assigned again, it may have moved what it opened by its lease, unheard.
    await all.org.assign(back, { tenant: 'club' });
    await back.fetchTek(all.org.kms.client, 'acme', 'club', 2);
    expect(await view(LEASES_ENDED_MS)).toEqual([false, 'pending', 'pending']);
    expect(await all.told(id)).toEqual({ [left.id]: 'erased epoch_lost', [back.id]: 'pending null' });
    await all.leaves(back);
    await all.next(3);
    // The time of the log does not go back: this destruction counts from the look before.
    expect(await view(2 * LEASES_ENDED_MS)).toEqual([true, 'lost', 'lost']);
    expect(await all.told(id)).toEqual({ [left.id]: 'erased epoch_lost', [back.id]: 'erased epoch_lost' });
  }, 60_000);

  test('of a tenant that is shredded meanwhile, an erasure goes as far as the shred', async () => {
    const all = await Deletions.make();
    const { place } = all;
    const heard = (await place.box('club', SOFTWARE)).box;
    const [absent, left, denied, file] = [await all.silent(), await all.silent(), await all.silent(), await all.silent(SOFTWARE)];
    const id = await all.erase();
    await all.leaves(left);
    await all.next(2);
    await all.isDenied(denied);
    await all.halfMakes(3);
    // It is told of the shred alone.
    const shred = await place.approved('club');
    await all.look();
    await place.ledger.transport.connect(heard.id);
    const receipt = async () => (await place.shreds.get('acme', shred)).boxes.find(({ device }) => device === heard.id)?.receipt ?? null;
    await expect.poll(receipt, PATIENTLY).not.toBeNull();

    await all.look(BACKUPS_ENDED_MS);
    const lost = 'unrecoverable epoch_lost';
    const others = { [absent.id]: lost, [left.id]: lost, [denied.id]: lost, [file.id]: 'pending null' };
    expect(await all.told(id)).toEqual({ [heard.id]: 'erased ack', ...others });
    const { settledAt, boxes } = await place.erasures.get('acme', id);
    expect(settledAt).not.toBeNull();
    expect(boxes.find(({ device }) => device === heard.id)).toMatchObject({ state: 'erased', receipt: await receipt() });
    expect(boxes.filter(({ state }) => state === 'lost')).toHaveLength(4);
    const states = (await place.shreds.get('acme', shred)).boxes.map(({ device, state, because }) => [device, `${state} ${because}`]);
    expect(Object.fromEntries(states), 'and that of the shred itself').toEqual({
      ...Object.fromEntries([absent, left, denied].map((box) => [box.id, 'unrecoverable hsm_horizon'])),
      ...{ [heard.id]: 'erased ack', [file.id]: 'pending null' },
    });
  }, 60_000);
});
