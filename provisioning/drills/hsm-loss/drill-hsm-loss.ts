import { pullModels } from '../../../models/registry/pull-models.ts';
import { TENANTS } from './loss-stack.ts';
import { runHsmLossDrill } from './run-hsm-loss-drill.ts';

/**
 * Runs the drill of a lost HSM, and prints what it came to.
 * @param json as one line
 * @returns the exit code: 0 where what may come back came, and nothing else
 */
export async function drillHsmLoss(json: boolean): Promise<number> {
  const interrupt = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupt.abort());
  const say = (line: string): void => void process.stderr.write(`drill: ${line}\n`);
  await pullModels({ onProgress: () => undefined });
  const result = await runHsmLossDrill({ say, signal: interrupt.signal });
  const { steps, rewrapped, refusedWithoutQuorum, shreddedStayDead, lost = [], tenantBInterrupted, auditVerified } = result;
  const held =
    steps.every(({ ok }) => ok) &&
    rewrapped === 1 &&
    refusedWithoutQuorum === true &&
    shreddedStayDead === true &&
    lost.join() === TENANTS.lost &&
    tenantBInterrupted === false &&
    auditVerified === true;
  process.stdout.write(`${json ? JSON.stringify(result) : `${held ? 'held' : 'FELL'}: ${JSON.stringify(result, null, 2)}`}\n`);
  return held ? 0 : 1;
}
