import { interruptSignal } from '../../terminal/interrupt-signal.ts';
import type { Step } from '../shred/steps.ts';

export interface DrillOptions {
  /** Takes a line for people. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Runs a drill of one step after the other, and prints what it came to.
 * @param json as one line
 * @returns the exit code: 0 where every step went well and what was measured is as it should be
 */
export async function judgeDrill<Result extends { readonly steps: readonly Step[] }>(
  json: boolean,
  run: (options: DrillOptions) => Promise<Result>,
  isGood: (result: Result) => boolean,
): Promise<number> {
  const result = await run({ say: (line) => void process.stderr.write(`drill: ${line}\n`), signal: interruptSignal() });
  const held = result.steps.every(({ ok }) => ok) && isGood(result);
  process.stdout.write(`${json ? JSON.stringify(result) : `${held ? 'held' : 'FELL'}: ${JSON.stringify(result, null, 2)}`}\n`);
  return held ? 0 : 1;
}
