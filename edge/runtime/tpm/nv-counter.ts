import { defineNvIndex, findNvIndex, removeNvIndex } from './nv-indices.ts';
import type { TpmBench } from './tpm.ts';

const VALUE_BYTES = 8;

/**
 * A number in the TPM's own memory that only ever grows. One that is removed and made again starts above the highest that any counter of
 * this TPM ever had, so no value comes twice.
 */
export class NvCounter {
  readonly #mark: Buffer;

  /** @param mark 32 bytes, by which it is known */
  constructor(mark: Buffer) {
    this.#mark = mark;
  }

  /** @returns its index, as the tools take it, or undefined when this TPM has no such counter */
  find(bench: TpmBench): Promise<string | undefined> {
    return findNvIndex(bench, this.#mark);
  }

  /** Finds it, or makes it. */
  async provide(bench: TpmBench): Promise<string> {
    const present = await this.find(bench);
    if (present !== undefined) return present;
    const made = await defineNvIndex(bench, this.#mark, { kind: 'counter', bytes: VALUE_BYTES });
    // A counter has no value before its first increment.
    await this.increment(bench, made);
    return made;
  }

  async read(bench: TpmBench, index: string): Promise<number> {
    const value = await bench.run('tpm2_nvread', ['-s', String(VALUE_BYTES), index]);
    return Number(value.readBigUInt64BE());
  }

  async increment(bench: TpmBench, index: string): Promise<void> {
    await bench.run('tpm2_nvincrement', [index]);
  }

  /** Removes it, if it is there, and frees its index. */
  remove(bench: TpmBench): Promise<void> {
    return removeNvIndex(bench, this.#mark);
  }
}
