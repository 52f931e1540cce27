import type { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import type { TpmBench } from '../../../runtime/tpm/tpm.ts';
import { TPM_RC, TpmRefusal } from '../../../runtime/tpm/tpm-refusal.ts';

/** File in which the digest of a policy stands when it was run. */
export const POLICY = 'policy';

/** When the TPM opens what was sealed under it; all of it must hold. */
export interface LeasePolicy {
  /** The counter has exactly this value. */
  readonly counter: number;
  /** The TPM's clock is before this, milliseconds. */
  readonly clock: number;
  /** The machine was started less often than this. */
  readonly resets: number;
  /** These PCRs are as they were when it was sealed: `sha256:0,7`. */
  readonly pcrs?: string | undefined;
}

export type Refusals = Readonly<Record<'counter' | 'clock' | 'resets', () => SecureGateError>>;

/**
 * Runs a policy in a session: TPM2_PolicyNV, TPM2_PolicyCounterTimer and TPM2_PolicyPCR.
 * @param index of the counter
 * @param refusals what to throw where the TPM says that a condition does not hold; a trial session never says so
 */
export async function runLeasePolicy(
  bench: TpmBench,
  session: string,
  index: string,
  policy: LeasePolicy,
  refusals?: Refusals,
): Promise<void> {
  const operand = Buffer.alloc(8);
  operand.writeBigUInt64BE(BigInt(policy.counter));
  const into = ['-S', session, '-L', POLICY];
  const hold = async (condition: keyof Refusals, tool: string, args: readonly string[], input?: Buffer): Promise<void> => {
    try {
      await bench.run(tool, [...into, ...args], input);
    } catch (error) {
      throw refusals && error instanceof TpmRefusal && error.code === TPM_RC.policy ? refusals[condition]() : error;
    }
  };
  await hold('counter', 'tpm2_policynv', ['-i', '-', index, 'eq'], operand);
  await hold('clock', 'tpm2_policycountertimer', ['--ult', `clock=${policy.clock}`]);
  await hold('resets', 'tpm2_policycountertimer', ['--ult', `resets=${policy.resets}`]);
  if (policy.pcrs !== undefined) await bench.run('tpm2_policypcr', [...into, '-l', policy.pcrs]);
}
