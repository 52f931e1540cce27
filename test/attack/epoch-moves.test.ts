import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { kmsConfigSchema } from '../../cloud/kms/config/schema.ts';
import { Kms } from '../../cloud/kms/kms.ts';
import { readConfig } from '../../shared/config/read-config.ts';
import { killDuring } from '../helpers/kill-during.ts';
import { TestDevice, type TestKms } from '../helpers/kms.ts';
import { type TestOrg, testOrg } from '../helpers/kms-org.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { hasSoftHsm } from '../helpers/soft-hsm.ts';

const refused = (code: string): unknown => expect.objectContaining({ code });
const DAY_MS = 86_400_000;
const OLD = { org: 'acme', tenant: 'hall', epoch: 1 };
const NEW = { ...OLD, epoch: 2 };

/**
 * The same KMS, in this process, where time can pass.
 * @returns lets it be so many days later; `clock`: how many the clock goes on meanwhile
 */
async function inDays(kms: TestKms): Promise<(days: number, clock?: number) => Promise<void>> {
  const passed = { days: 0, clock: 0 };
  let later: Kms | undefined;
  const restart = async (): Promise<void> => {
    await later?.stop();
    later = new Kms({
      config: readConfig(kms.configFile, kmsConfigSchema),
      now: () => Date.now() + passed.clock * DAY_MS,
      monotonic: () => performance.now() + passed.days * DAY_MS,
      random: (size) => Buffer.alloc(size),
      logger: testLogger(),
    });
    await later.start();
  };
  await kms.stop();
  await restart();
  onTestFinished(() => later?.stop());
  return async (days, clock = days) => {
    passed.days += days;
    passed.clock += clock;
    // What it has waited for is not forgotten by a restart.
    await restart();
  };
}

describe.skipIf(!hasSoftHsm)('the move of boxes to a new epoch on SoftHSM2 (skipped where it is not installed)', () => {
  let org: TestOrg;
  let one: TestDevice;
  let two: TestDevice;
  beforeEach(async () => {
    org = await testOrg('softhsm', { epochsPerOrg: 1000, exportsPerDevice: 1000 });
    [one, two] = [await org.enrolled(), await org.enrolled()];
  });

  const begin = async (): Promise<void> => void (await org.kms.client.call('createEpoch', NEW));
  const fetch = (device: TestDevice, epoch: number): Promise<Buffer> => device.fetchTek(org.kms.client, 'acme', 'hall', epoch);
  const acknowledge = async (token: Promise<string>): Promise<object> =>
    await org.kms.client.call('acknowledgeMove', { token: await token });
  const moved = (device: TestDevice, epoch = 2): Promise<object> => acknowledge(device.movedTo('acme', 'hall', epoch));
  const states = async (): Promise<Record<string, string>> => {
    const { boxes } = await org.kms.client.call('getMove', OLD);
    return Object.fromEntries(boxes.map(({ device, state }) => [device, state]));
  };
  const destroy = (): Promise<object> => org.kms.client.call('destroyEpoch', OLD);

  test('keeps the old epoch until each of them has said that it needs it no more', async () => {
    await expect(org.kms.client.call('getMove', OLD), 'the newest').rejects.toThrow(refused('conflict'));
    await begin();
    expect(await states()).toEqual({ [one.id]: 'waiting', [two.id]: 'waiting' });
    for (const epoch of [1, 2]) expect(await fetch(one, epoch)).toHaveLength(32);
    await moved(one);
    await expect(destroy()).rejects.toMatchObject({ code: 'boxes_waiting', details: { waiting: [two.id] } });
    expect(await fetch(two, 1)).toHaveLength(32);
    await moved(two);
    await moved(one);
    expect(await states()).toEqual({ [one.id]: 'moved', [two.id]: 'moved' });
    const before = Date.now();
    const destruction = await org.kms.client.call('destroyEpoch', OLD);
    expect(destruction.state).toBe('unrecoverable');
    expect(destruction.from, 'not before backups of the HSM have ended').toBeGreaterThanOrEqual(before + 7 * DAY_MS);
    expect(await org.kms.client.call('getMove', OLD)).toMatchObject({ destruction });
    await expect(fetch(two, 1)).rejects.toThrow(refused('cell_gone'));
  });

  test('gives a box that has moved, or that came later, no key of the old epoch', async () => {
    await begin();
    await moved(one);
    await expect(fetch(one, 1)).rejects.toThrow(refused('epoch_replaced'));
    const late = await org.enrolled();
    await expect(fetch(late, 1)).rejects.toThrow(refused('epoch_replaced'));
    for (const device of [one, late]) expect(await fetch(device, 2)).toHaveLength(32);
    await org.kms.stop();
    await org.kms.start();
    await expect(fetch(one, 1)).rejects.toThrow(refused('epoch_replaced'));
  });

  test('waits for an absent box as long as its deadline has not come', async () => {
    await org.assign(two, { exp: Math.floor(Date.now() / 1000) + 90 * 86_400 });
    await begin();
    await moved(one);
    const { begunAt, deadline } = await org.kms.client.call('getMove', OLD);
    expect(Math.abs(deadline - begunAt - 30 * DAY_MS), 'as long as the KMS is there').toBeLessThan(60_000);
    await (await inDays(org.kms))(29.99);
    await expect(destroy()).rejects.toThrow(refused('boxes_waiting'));
    expect(await fetch(two, 1)).toHaveLength(32);
  });

  test('loses an absent box at the deadline, before the old epoch is destroyed and after', async () => {
    await org.assign(two, { exp: Math.floor(Date.now() / 1000) + 90 * 86_400 });
    await begin();
    await moved(one);
    const left = (): Promise<object> => org.kms.client.call('listLeft', {});
    const pass = await inDays(org.kms);
    await pass(29.99);
    expect(await left()).toEqual([]);
    await pass(0.01);
    expect(await states()).toEqual({ [one.id]: 'moved', [two.id]: 'lost' });
    expect(await left()).toEqual([OLD]);
    const lost = (): Promise<object> => org.kms.client.call('listLostBoxes', OLD);
    expect(await lost()).toEqual([{ device: two.id, laterKeyAt: null }]);
    await expect(fetch(two, 1)).rejects.toThrow(refused('epoch_replaced'));
    expect(await fetch(two, 2), 'with which it starts anew').toHaveLength(32);
    const given = [{ device: two.id, laterKeyAt: expect.any(Number) }];
    expect(await lost(), 'or moves what it opens by a lease of before').toEqual(given);
    await destroy();
    expect(await left()).toEqual([]);
    expect(await lost()).toEqual(given);
    expect(await states()).toEqual({ [one.id]: 'moved', [two.id]: 'lost' });
  });

  test('is waited for by no clock: set forward it destroys nothing early, set back it keeps nothing', async () => {
    await org.assign(two, { exp: Math.floor(Date.now() / 1000) + 90 * 86_400 });
    const pass = await inDays(org.kms);
    // What passed before the move is not of it.
    await pass(60, 0);
    await begin();
    await moved(one);
    await pass(1, 60);
    await expect(destroy()).rejects.toThrow(refused('boxes_waiting'));
    expect(await fetch(two, 1)).toHaveLength(32);
    await pass(28.9, -70);
    await expect(destroy()).rejects.toThrow(refused('boxes_waiting'));
    await pass(0.1, 0);
    await destroy();
  });

  test('waits neither for a denied box nor for one that is not assigned any more', async () => {
    const three = await org.enrolled();
    await begin();
    await moved(three);
    await org.kms.client.call('denyDevice', { device: one.id });
    await org.kms.client.call('endAssignment', { org: 'acme', tenant: 'hall', device: two.id });
    expect(await states()).toEqual({ [one.id]: 'lost', [two.id]: 'lost', [three.id]: 'moved' });
    await destroy();
  });

  test('is not over for a box that had left before: it is lost, and assigned again it is waited for as long as the key is there', async () => {
    const end = (device: TestDevice): Promise<object> =>
      org.kms.client.call('endAssignment', { org: 'acme', tenant: 'hall', device: device.id });
    const lost = (): Promise<object> => org.kms.client.call('listLostBoxes', OLD);
    await end(two);
    await begin();
    await moved(one);
    expect(await states()).toEqual({ [one.id]: 'moved', [two.id]: 'lost' });
    expect(await lost()).toEqual([{ device: two.id, laterKeyAt: null }]);
    await org.assign(two);
    expect(await states()).toEqual({ [one.id]: 'moved', [two.id]: 'waiting' });
    expect(await fetch(two, 1)).toHaveLength(32);
    await expect(destroy()).rejects.toThrow(refused('boxes_waiting'));
    await end(two);
    await destroy();
    await org.assign(two);
    await expect(fetch(two, 1)).rejects.toThrow(refused('cell_gone'));
    expect(await lost(), 'it was given no other').toEqual([{ device: two.id, laterKeyAt: null }]);
    await fetch(two, 2);
    expect(await lost()).toEqual([{ device: two.id, laterKeyAt: expect.any(Number) }]);
  });

  test('counts for all epochs before the one where a box is', async () => {
    await begin();
    await org.kms.client.call('createEpoch', { ...OLD, epoch: 3 });
    await moved(one, 3);
    expect((await states())[one.id]).toBe('moved');
    await moved(two, 2);
    await destroy();
    await expect(org.kms.client.call('destroyEpoch', NEW)).rejects.toMatchObject({
      code: 'boxes_waiting',
      details: { waiting: [two.id] },
    });
  });

  test("that is not the box's own word about an epoch that is there does not count", async () => {
    await begin();
    const rejected = refused('move_rejected');
    await expect(acknowledge(one.movedTo('acme', 'hall', 2, {}, two.signer)), 'of another box').rejects.toThrow(rejected);
    await expect(acknowledge(one.movedTo('acme', 'hall', 2, { sub: two.id }))).rejects.toThrow(rejected);
    await expect(acknowledge(one.movedTo('acme', 'hall', 2, { more: 1 }))).rejects.toThrow(rejected);
    await expect(acknowledge(one.movedTo('acme', 'hall', 1))).rejects.toThrow(rejected);
    const { token } = await one.request(org.kms.client, 'acme', 'hall', 2);
    await expect(acknowledge(Promise.resolve(token)), 'signed for something else').rejects.toThrow(rejected);
    await expect(acknowledge(one.movedTo('acme', 'club', 2))).rejects.toThrow(refused('assignment_rejected'));
    await expect(moved(new TestDevice())).rejects.toThrow(refused('assignment_rejected'));
    await expect(moved(one, 3)).rejects.toThrow(refused('epoch_not_found'));
    expect(await states()).toEqual({ [one.id]: 'waiting', [two.id]: 'waiting' });
  });

  test('killed at any moment, it goes on where it was, and no destruction is left half done', async () => {
    const { client } = org.kms;
    await client.call('endAssignment', { org: 'acme', tenant: 'hall', device: two.id });
    let newest = 1;
    const move = async (): Promise<void> => {
      await client.call('createEpoch', { ...OLD, epoch: newest + 1 });
      await moved(one, newest + 1);
      await client.call('destroyEpoch', { ...OLD, epoch: newest });
      newest += 1;
    };
    for (const at of [0.1, 0.3, 0.5, 0.7, 0.9]) {
      await killDuring(org.kms, move, at);
      const known = await client.call('listEpochs', { org: 'acme', tenant: 'hall' });
      // One whose making was cut short is begun again by the next move.
      const epochs = known.filter(({ epoch, state }) => epoch <= newest || state !== 'making');
      for (const { epoch, state } of epochs) {
        if (epoch < newest) expect(state).toBe('destroyed');
        else expect(state).toBeOneOf(epoch === newest ? ['ready', 'destroyed'] : ['ready']);
      }
      newest = epochs.at(-1)?.epoch ?? 0;
      expect(await fetch(one, newest)).toHaveLength(32);
      // Nothing else than the end of the move that was under way can be left to ask for.
      await moved(one, newest);
      await client.call('destroyEpoch', { ...OLD, epoch: newest - 1 });
    }
  }, 120_000);
});
