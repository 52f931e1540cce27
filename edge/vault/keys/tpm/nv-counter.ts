import type { TpmBench } from './tpm.ts';
import { TPM_RC, TpmRefusal } from './tpm-refusal.ts';

/** Our part of the handles that a TPM's owner gives away (0x01800000 to 0x01BFFFFF). */
const FIRST = 0x01a5_3400;
const LAST = 0x01a5_34ff;
/** Read and incremented without a password: who increments it from outside only closes a lease. */
const ATTRIBUTES = 'nt=counter|ownerread|ownerwrite|authread|authwrite|no_da';
const VALUE_BYTES = 8;

/**
 * A number in the TPM's own memory that only ever grows. One that is removed and made again starts above the highest that any counter of
 * this TPM ever had, so no value comes twice.
 *
 * It is known by a mark, a hash that stands where an index has its policy: the same owner finds it again without having written down
 * where it is, and it can be no other program's.
 */
export class NvCounter {
  readonly #mark: Buffer;

  /** @param mark 32 bytes */
  constructor(mark: Buffer) {
    this.#mark = mark;
  }

  /** @returns its index, as the tools take it, or undefined when this TPM has no such counter */
  async find(bench: TpmBench): Promise<string | undefined> {
    return (await list(bench)).find(({ mark }) => mark === this.#mark.toString('hex'))?.index;
  }

  /** Finds it, or makes it on the first free index. */
  async provide(bench: TpmBench): Promise<string> {
    for (;;) {
      const present = await list(bench);
      const mine = present.find(({ mark }) => mark === this.#mark.toString('hex'));
      if (mine) return mine.index;
      const taken = new Set(present.map(({ index }) => index));
      const free = handles().find((index) => !taken.has(index));
      if (free === undefined) throw new RangeError('All indices for counters are taken');
      await bench.write('mark', this.#mark);
      try {
        await bench.run('tpm2_nvdefine', [free, '-C', 'o', '-s', String(VALUE_BYTES), '-L', 'mark', '-a', ATTRIBUTES]);
      } catch (error) {
        // Another tenant's vault took it in this moment.
        if (error instanceof TpmRefusal && error.code === TPM_RC.nvDefined) continue;
        throw error;
      }
      // A counter has no value before its first increment.
      await this.increment(bench, free);
      return free;
    }
  }

  async read(bench: TpmBench, index: string): Promise<number> {
    const value = await bench.run('tpm2_nvread', ['-s', String(VALUE_BYTES), index]);
    return Number(value.readBigUInt64BE());
  }

  async increment(bench: TpmBench, index: string): Promise<void> {
    await bench.run('tpm2_nvincrement', [index]);
  }

  /** Removes it, if it is there, and frees its index. */
  async remove(bench: TpmBench): Promise<void> {
    const index = await this.find(bench);
    if (index !== undefined) await bench.run('tpm2_nvundefine', [index, '-C', 'o']);
  }
}

async function list(bench: TpmBench): Promise<{ index: string; mark: string }[]> {
  const text = (await bench.run('tpm2_nvreadpublic', [])).toString();
  return text.split(/^(?=0x)/m).flatMap((entry) => {
    const index = /^0x[0-9a-f]+/.exec(entry)?.[0];
    const mark = /authorization policy: ([0-9A-F]*)/.exec(entry)?.[1]?.toLowerCase() ?? '';
    return index === undefined ? [] : [{ index, mark }];
  });
}

function handles(): string[] {
  return Array.from({ length: LAST - FIRST + 1 }, (_, offset) => `0x${(FIRST + offset).toString(16)}`);
}
