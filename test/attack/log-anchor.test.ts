import { copyFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Reception } from '../../cloud/fleet/reception.ts';
import { Witnesses } from '../../cloud/fleet/witness/witnesses.ts';
import { testKms } from '../helpers/kms.ts';
import { LogPlace } from '../helpers/log-place.ts';
import { MemoryTransport } from '../helpers/memory-transport.ts';
import { rewriteLog } from '../helpers/rewrite-log.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { hasSoftTpm, type SoftTpm, softTpm } from '../helpers/soft-tpm.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { WitnessingBox } from '../helpers/witnessing-box.ts';

const PATIENTLY = { timeout: 30_000, interval: 20 };
const HOUR_MS = 3_600_000;

/** A log, and a box that watches it and has a TPM; it has signed the log of five entries. */
class Anchored {
  readonly place: LogPlace;
  readonly box: WitnessingBox;
  readonly tpm: SoftTpm | undefined;
  readonly #copy: string;

  private constructor(place: LogPlace, box: WitnessingBox, tpm: SoftTpm | undefined, copy: string) {
    this.place = place;
    this.box = box;
    this.tpm = tpm;
    this.#copy = copy;
  }

  static async start(withTpm = true): Promise<Anchored> {
    const kms = await testKms('software');
    const folder = await tempFolder();
    const place = await LogPlace.open({ file: join(folder, 'cloud.db') }, kms.client);
    const transport = new MemoryTransport();
    const tpm = withTpm ? await softTpm() : undefined;
    const box = await WitnessingBox.start(transport, [place.key], tpm?.tcti);
    const { audit, tree, heads, store } = place;
    const [courier, logger] = [transport.courier(), testLogger('cloud')];
    const witnesses = new Witnesses({ db: store.db, courier, audit, tree, heads, now: Date.now, logger });
    const boxes = { find: async () => ({ org: 'acme', signingKeys: [box.keyHash] }) };
    const reception = new Reception({ courier, boxes, takers: [witnesses.takers], logger });
    reception.start();
    onTestFinished(() => reception.stop());
    const anchored = new Anchored(place, box, tpm, join(folder, 'log.json'));
    await anchored.goOn('one', 'two', 'three', 'four', 'five');
    return anchored;
  }

  /** The log grows, and the box signs it. @returns its head */
  async goOn(...targets: string[]): Promise<string> {
    await this.place.act(...targets);
    const { token, size } = await this.place.head();
    await this.box.ask();
    const cosigned = async () => (await this.place.store.db.selectFrom('log_cosignatures').selectAll().executeTakeFirst())?.size;
    await expect.poll(cosigned, PATIENTLY).toBe(size);
    return token;
  }

  async copyDisk(): Promise<void> {
    await copyFile(this.box.file, this.#copy);
  }

  async putBackDisk(): Promise<void> {
    await copyFile(this.#copy, this.box.file);
  }

  /** Does something to the TPM while it has no power. */
  async powerless(work: (tpm: SoftTpm) => Promise<void>): Promise<void> {
    if (!this.tpm) throw new Error('This box has no TPM');
    await this.tpm.shutDown();
    await work(this.tpm);
    await this.tpm.start();
  }

  async expectAccused(...reasons: string[]): Promise<void> {
    await expect.poll(() => this.box.memory.accusations(), PATIENTLY).toEqual(reasons);
  }
}

describe.skipIf(!hasSoftTpm)('a box with a TPM', () => {
  test('whose disk is put back notices it, and goes on from the later head', async () => {
    const place = await Anchored.start();
    await place.copyDisk();
    place.box.later = HOUR_MS;
    await place.goOn('six', 'seven');
    await place.putBackDisk();
    const head = await place.goOn('eight');
    await place.expectAccused('log_memory_rolled_back');
    expect(place.box.memory.kept()).toBe(head);
  });

  test('whose disk is put back catches a control plane that cuts its log off to what the disk knows, and goes on with another', async () => {
    const place = await Anchored.start();
    await place.copyDisk();
    place.box.later = HOUR_MS;
    const signed = await place.goOn('six', 'seven');
    await rewriteLog(place.place, (log) => log.slice(0, 5));
    await place.place.act('other six');
    await place.place.head();
    await place.putBackDisk();
    await place.box.ask();
    await place.expectAccused('log_memory_rolled_back', 'log_truncated');
    // Beyond what was signed, it is caught as well.
    await place.place.act('other seven', 'other eight');
    await place.place.head();
    await place.box.ask();
    await place.expectAccused('log_memory_rolled_back', 'log_truncated', 'log_forked');
    expect(place.box.memory.kept()).toBe(signed);
  });

  test('whose memory of the log was removed has it in the TPM', async () => {
    const place = await Anchored.start();
    await rm(place.box.file);
    await rewriteLog(place.place, (log) => log.slice(0, 3));
    await place.place.head();
    await place.box.ask();
    await place.expectAccused('log_memory_rolled_back', 'log_truncated');
  });

  test('writes to the TPM at most once an hour: what was signed since is on the disk alone', async () => {
    const place = await Anchored.start();
    const first = place.box.memory.kept();
    const second = await place.goOn('six');
    expect(await place.box.anchor?.held()).toBe(first);
    expect(place.box.memory.kept()).toBe(second);
    place.box.later = HOUR_MS;
    const third = await place.goOn('seven');
    expect(await place.box.anchor?.held()).toBe(third);
    // A clock that was set back does not keep it from being written.
    place.box.later = 0;
    const fourth = await place.goOn('eight');
    expect(await place.box.anchor?.held()).toBe(fourth);
    await place.expectAccused();
  });

  test('takes the disk that is newer than the TPM for what it is: the power went between the two, or within the hour', async () => {
    const place = await Anchored.start();
    const copy = await tempFolder();
    await place.powerless((tpm) => tpm.saveState(join(copy, 'state')));
    place.box.later = HOUR_MS;
    const newest = await place.goOn('six');
    await place.powerless((tpm) => tpm.restoreState(join(copy, 'state')));
    expect(await place.box.anchor?.held()).not.toBe(newest);
    await place.goOn('seven');
    await place.expectAccused();
  });

  test('goes on where the power went before the first head was in the TPM', async () => {
    const place = await Anchored.start();
    await place.box.anchor?.forget();
    place.box.memory.keep(place.box.memory.kept() ?? '');
    await place.goOn('six');
    await place.expectAccused();
    expect(await place.box.anchor?.held()).toBe(place.box.memory.kept());
  });

  test('says so when the TPM was cleared', async () => {
    const place = await Anchored.start();
    await place.goOn('six');
    await place.tpm?.tool('tpm2_clear', '-c', 'p');
    await place.goOn('seven');
    await place.expectAccused('log_anchor_lost');
    expect(await place.box.anchor?.held()).toBe(place.box.memory.kept());
  });

  test('signs nothing while its TPM does not answer', async () => {
    const place = await Anchored.start();
    const kept = place.box.memory.kept();
    await place.tpm?.cut();
    await place.place.act('six');
    await place.place.head();
    await place.box.ask();
    await expect.poll(() => place.box.trouble, PATIENTLY).toBe('tpm_unavailable');
    expect(place.box.memory.kept()).toBe(kept);
    await place.tpm?.start();
    await place.goOn('seven');
    expect(place.box.trouble).toBeUndefined();
  });

  test('lets nobody write in its place who has not the key of its certificate', async () => {
    const place = await Anchored.start();
    await place.goOn('six');
    const listed = (await place.tpm?.tool('tpm2_nvreadpublic')) ?? '';
    const index = /^0x1a534[0-9a-f]{2}/m.exec(listed)?.[0] ?? '';
    expect(index).not.toBe('');
    const other = join(await tempFolder(), 'other');
    await writeFile(other, Buffer.alloc(512));
    for (const who of [['-C', 'o'], []]) {
      await expect(place.tpm?.tool('tpm2_nvwrite', index, '-i', other, ...who)).rejects.toThrow();
      await expect(place.tpm?.tool('tpm2_nvread', index, ...who)).rejects.toThrow();
    }
    // Its owner can take its place, and is found out.
    const mark = /authorization policy: ([0-9A-F]+)/.exec(listed.slice(listed.indexOf(index)))?.[1] ?? '';
    await writeFile(other, Buffer.from(mark, 'hex'));
    await place.tpm?.tool('tpm2_nvundefine', index, '-C', 'o');
    await place.tpm?.tool('tpm2_nvdefine', index, '-C', 'o', '-s', '512', '-L', other, '-a', 'authread|authwrite|no_da', '-p', 'mine');
    await writeFile(other, Buffer.from(JSON.stringify({ at: 0, head: place.box.memory.kept() }).padEnd(512)));
    await place.tpm?.tool('tpm2_nvwrite', index, '-i', other, '-P', 'mine');
    await place.goOn('seven');
    await place.expectAccused('log_anchor_lost');
  });
});

test('a box without a TPM knows what its disk knows', async () => {
  const place = await Anchored.start(false);
  await place.copyDisk();
  await place.goOn('six');
  await place.putBackDisk();
  await place.goOn('seven');
  await place.expectAccused();
});
