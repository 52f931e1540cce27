import type { TpmBench } from './tpm.ts';
import { TPM_RC, TpmRefusal } from './tpm-refusal.ts';

/** Our part of the handles that a TPM's owner gives away (0x01800000 to 0x01BFFFFF). */
const FIRST = 0x01a5_3400;
const LAST = 0x01a5_34ff;
const ATTRIBUTES = {
  /** Read and incremented without a password: who increments it from outside only closes a lease. */
  counter: 'nt=counter|ownerread|ownerwrite|authread|authwrite|no_da',
  /** Read and written by its password alone. */
  guarded: 'authread|authwrite|no_da',
} as const;

export interface NvShape {
  readonly kind: keyof typeof ATTRIBUTES;
  readonly bytes: number;
  /** As the tools take it from their standard input; without it, the index has none. */
  readonly password?: Buffer;
}

/**
 * Finds a place in the TPM's own memory by its mark, a hash that stands where an index has its policy: the same owner finds it again without
 * having written down where it is, and it can be no other program's.
 * @param mark 32 bytes
 * @returns the index, as the tools take it
 */
export async function findNvIndex(bench: TpmBench, mark: Buffer): Promise<string | undefined> {
  return (await list(bench)).find((one) => one.mark === mark.toString('hex'))?.index;
}

/** Makes a place of that mark on the first free index. It has no value before it is first written. */
export async function defineNvIndex(bench: TpmBench, mark: Buffer, { kind, bytes, password }: NvShape): Promise<string> {
  for (;;) {
    const taken = new Set((await list(bench)).map(({ index }) => index));
    const free = handles().find((index) => !taken.has(index));
    if (free === undefined) throw new RangeError('All indices of the TPM are taken');
    await bench.write('mark', mark);
    const guard = password === undefined ? [] : ['-p', 'file:-'];
    try {
      await bench.run('tpm2_nvdefine', [free, '-C', 'o', '-s', String(bytes), '-L', 'mark', '-a', ATTRIBUTES[kind], ...guard], password);
      return free;
    } catch (error) {
      // Another process took it in this moment.
      if (!(error instanceof TpmRefusal) || error.code !== TPM_RC.nvDefined) throw error;
    }
  }
}

/** Removes it, if it is there, and frees its index. */
export async function removeNvIndex(bench: TpmBench, mark: Buffer): Promise<void> {
  const index = await findNvIndex(bench, mark);
  if (index !== undefined) await bench.run('tpm2_nvundefine', [index, '-C', 'o']);
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
