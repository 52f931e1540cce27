import { prepare } from '../../demo/prepare.ts';
import { runShredDrill } from './run-shred-drill.ts';

/**
 * Runs the drill of a shred, and prints what it came to.
 * @param json as one line
 * @returns the exit code: 0 where nothing came back and nobody else noticed
 */
export async function drillShred(json: boolean): Promise<number> {
  const interrupt = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupt.abort());
  const say = (line: string): void => void process.stderr.write(`drill: ${line}\n`);
  const result = await runShredDrill({ prepared: await prepare(say), say, signal: interrupt.signal });
  const { steps, recoverable, customerRecoverable, tenantBInterrupted, receipts = 0, auditVerified, tpm } = result;
  const held =
    steps.every(({ ok }) => ok) &&
    recoverable === false &&
    customerRecoverable === false &&
    tenantBInterrupted === false &&
    receipts > 0 &&
    auditVerified === true &&
    (tpm === null || tpm?.after?.opened === 0);
  process.stdout.write(`${json ? JSON.stringify(result) : `${held ? 'held' : 'FELL'}: ${JSON.stringify(result, null, 2)}`}\n`);
  return held ? 0 : 1;
}
