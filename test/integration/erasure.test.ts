import { execFile } from 'node:child_process';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { shardKeyOf } from '../../edge/vault/keys/header-keys.ts';
import { parseHeader } from '../../edge/vault/keys/keyring-header.ts';
import { vaultFiles } from '../../edge/vault/store/vault-files.ts';
import { newId } from '../../shared/ids/ids.ts';
import { type TestBox, testBox, testVault } from '../helpers/vault.ts';
import { face, guest } from '../helpers/vault-guests.ts';

const run = promisify(execFile);

async function copyOf(box: TestBox): Promise<TestBox> {
  const copy = { ...(await testBox()), box: box.box };
  await cp(box.dataDir, copy.dataDir, { recursive: true });
  await cp(box.keyDir, copy.keyDir, { recursive: true });
  return copy;
}

/** Erases these customers or, without any, moves the epoch, in a process that is killed before its n-th write. @returns whether it got to the end */
async function dyingAt(write: number, { box, dataDir, keyDir }: TestBox, erased: readonly string[]): Promise<boolean> {
  const args = [resolve('test/fixtures/die-at-write.ts'), box, dataDir, keyDir, String(write), ...erased];
  try {
    return (await run(process.execPath, args)).stdout === 'done';
  } catch (error) {
    expect(error).toMatchObject({ signal: 'SIGKILL' });
    return false;
  }
}

describe('kill -9 before each single write', () => {
  const erased = newId('customer');
  // One of the same shard, and one of another.
  let mate = newId('customer');
  while (shardKeyOf(mate) !== shardKeyOf(erased)) mate = newId('customer');
  const kept = [mate, newId('customer')];

  async function boxOfThree(): Promise<TestBox> {
    const box = await testBox();
    const vault = testVault(box);
    await vault.start();
    for (const [seed, customerId] of [erased, ...kept].entries())
      vault.customers.enrol({ ...guest(seed), customerId, faces: [face(seed)] });
    vault.stop();
    return box;
  }

  /** Opens what the crash left: nothing is half done any more, and those who were not erased are whole. @returns who is there */
  async function afterCrash(box: TestBox): Promise<string[]> {
    const vault = testVault(box);
    await vault.start();
    expect(vault.rejected).toBe(0);
    const there = vault.customers.list({ limit: 9 }).items.map(({ customerId }) => customerId);
    for (const customerId of there) expect(vault.customers.get({ customerId }).faceList).toHaveLength(1);
    vault.stop();
    const files = vaultFiles(join(box.dataDir, 'tenants', 'hall'));
    const header = parseHeader(await readFile(files.header), { org: 'acme', tenant: 'hall', box: box.box });
    expect([header.previous, header.movingTo]).toEqual([undefined, undefined]);
    // The key of the next epoch may be there before its time, one of an earlier epoch never.
    const keyFiles = (await readdir(box.keyDir)).filter((name) => name.endsWith('.key')).sort();
    expect(keyFiles).toBeOneOf(header.epoch === 1 ? [['hall.key'], ['hall.2.key', 'hall.key']] : [['hall.2.key']]);
    return there;
  }

  test('of an erasure: he is there as before or gone, and everybody else is whole', async () => {
    const whole = await boxOfThree();
    const outcomes: boolean[] = [];
    for (let write = 1, done = false; !done; write += 1) {
      const box = await copyOf(whole);
      done = await dyingAt(write, box, [erased]);
      const there = await afterCrash(box);
      expect(there).toEqual(expect.arrayContaining(kept));
      outcomes.push(there.includes(erased));
    }
    // Up to one write he is there, from it on he is gone.
    const turn = outcomes.indexOf(false);
    expect(turn).toBeGreaterThan(5);
    expect(outcomes.slice(turn)).not.toContain(true);
    expect(outcomes.length).toBeGreaterThan(20);
  }, 300_000);

  test('of a move to the next epoch: all are whole, under the one key or the other, and no earlier key is left', async () => {
    const whole = await boxOfThree();
    let writes = 0;
    for (let done = false; !done; ) {
      const box = await copyOf(whole);
      writes += 1;
      done = await dyingAt(writes, box, []);
      expect(await afterCrash(box)).toEqual(expect.arrayContaining([erased, ...kept]));
    }
    expect(writes).toBeGreaterThan(15);
  }, 300_000);
});
