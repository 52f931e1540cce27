import type { TpmBench } from './tpm.ts';

/** The TPM's own clock: it goes only while the TPM has power, and nobody can set it back. */
export interface TpmClock {
  /** Milliseconds with power since the TPM was last cleared. */
  readonly ms: number;
  /** How often the machine was started since then. */
  readonly resets: number;
}

export async function readTpmClock(bench: TpmBench): Promise<TpmClock> {
  const text = (await bench.run('tpm2_readclock', [])).toString();
  return { ms: numberOf(text, 'clock'), resets: numberOf(text, 'reset_count') };
}

function numberOf(text: string, name: string): number {
  const [, digits] = new RegExp(`^ +${name}: (\\d+)$`, 'm').exec(text) ?? [];
  if (digits === undefined) throw new RangeError(`tpm2_readclock tells no ${name}`);
  return Number(digits);
}
