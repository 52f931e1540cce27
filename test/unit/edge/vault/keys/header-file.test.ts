import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { HeaderFile } from '../../../../../edge/vault/keys/header-file.ts';
import type { HeaderKeys } from '../../../../../edge/vault/keys/header-key.ts';
import type { KeySource } from '../../../../../edge/vault/keys/key-source.ts';
import { createHeader } from '../../../../../edge/vault/keys/keyring-header.ts';
import { StandaloneKeySource } from '../../../../../edge/vault/keys/standalone-key-source.ts';
import { newId } from '../../../../../shared/ids/ids.ts';
import { type TestBox, testBox } from '../../../../helpers/vault.ts';

const scope = { org: 'acme', tenant: 'hall', box: newId('box') };
const refused = (code: string): unknown => expect.objectContaining({ code });

let box: TestBox;
let path: string;
let source: StandaloneKeySource;
beforeEach(async () => {
  box = await testBox();
  await mkdir(box.dataDir);
  path = join(box.dataDir, 'header.json');
  source = new StandaloneKeySource({ ...box, tenant: 'hall' });
  await writeFile(path, createHeader(await source.open(await source.provision()), 1, scope));
});

/** A header file that was opened, and the keys in it. */
async function opened(from: KeySource = source): Promise<{ header: HeaderFile; keys: HeaderKeys; previous: HeaderKeys }> {
  const header = new HeaderFile(path, scope, from);
  return { header, ...(await header.open()) };
}

/** The standalone source, with something that happens at one step. */
class Interrupted implements KeySource {
  readonly #step: 'prepare' | 'open' | 'retire';
  readonly #epoch: number;

  constructor(step: 'prepare' | 'open' | 'retire', epoch: number) {
    this.#step = step;
    this.#epoch = epoch;
  }

  provision(): Promise<number> {
    return source.provision();
  }
  async open(epoch: number): Promise<Buffer> {
    this.#pass('open', epoch);
    return source.open(epoch);
  }
  async prepare(epoch: number): Promise<number> {
    this.#pass('prepare', epoch);
    return await source.prepare(epoch);
  }
  async retire(before: number): Promise<void> {
    this.#pass('retire', before);
    await source.retire(before);
  }
  #pass(step: string, epoch: number): void {
    if (step === this.#step && epoch === this.#epoch) throw new Error('cut off');
  }
}

describe('a move to the next epoch', () => {
  test('keeps every key, puts all of them under the new tenant key, and removes the old one', async () => {
    const { header, keys } = await opened();
    await header.move();
    expect([header.epoch, header.reach, await readdir(box.keyDir)]).toEqual([2, 2, ['hall.2.key']]);
    expect(await readdir(box.dataDir)).toEqual(['header.json']);
    const again = await opened();
    expect([again.header.epoch, again.keys]).toEqual([2, keys]);
  });

  test('leaves an older header to whoever has the older key, and to nobody else', async () => {
    const older = await readFile(path);
    await cp(join(box.keyDir, 'hall.key'), join(box.dataDir, 'stolen.key'));
    const { header, keys } = await opened();
    await header.move();
    await writeFile(path, older);
    await expect(opened()).rejects.toThrow(refused('key_rejected'));
    await cp(join(box.dataDir, 'stolen.key'), join(box.keyDir, 'hall.key'));
    expect((await opened()).keys).toEqual(keys);
  });

  test.each([
    ['prepare', 2, 1, 1],
    ['open', 2, 1, 2],
    ['retire', 2, 2, 2],
  ] as const)('cut off at `%s` of epoch %i leaves a header that opens, and is finished later', async (step, epoch, now, reach) => {
    const interrupted = await opened(new Interrupted(step, epoch));
    await expect(interrupted.header.move()).rejects.toThrow('cut off');
    const { header, keys } = await opened();
    expect([header.epoch, header.reach, keys]).toEqual([now, reach, interrupted.keys]);
    await header.finishMove();
    expect(header.epoch).toBe(reach);
    expect(await readdir(box.keyDir)).toEqual([reach === 1 ? 'hall.key' : 'hall.2.key']);
    expect((await opened()).keys).toEqual(interrupted.keys);
  });

  test('goes over the epochs that were missed, also where a move to one of them was cut off', async () => {
    const { header: cutOff, keys } = await opened(new Interrupted('open', 2));
    await expect(cutOff.move()).rejects.toThrow('cut off');
    const { header } = await opened({
      provision: () => source.provision(),
      open: (epoch) => source.open(epoch),
      retire: (before) => source.retire(before),
      prepare: async () => await source.prepare(4),
    });
    expect([header.epoch, header.reach]).toEqual([1, 2]);
    await header.move();
    expect([header.epoch, header.reach, await readdir(box.keyDir)]).toEqual([4, 4, ['hall.4.key']]);
    expect((await opened()).keys).toEqual(keys);
  });

  test('takes shard keys along that customers are still under', async () => {
    const { header, keys } = await opened();
    const fresh = await header.renew(['shard-001', 'snapshot']);
    await header.move();
    const again = await opened();
    expect([...again.previous]).toEqual([['shard-001', keys.get('shard-001')]]);
    expect(['shard-001', 'snapshot'].map((name) => again.keys.get(name))).toEqual(['shard-001', 'snapshot'].map((name) => fresh.get(name)));
    again.header.dropPrevious();
    expect((await opened()).previous.size).toBe(0);
  });
});

test('whoever waits for the tenant key while the vault is closed writes nothing', async () => {
  const { header } = await opened();
  const before = await readFile(path);
  const renewal = header.renew(['snapshot']);
  header.close();
  await expect(renewal).rejects.toThrow(refused('vault_unavailable'));
  expect(await readFile(path)).toEqual(before);
});
