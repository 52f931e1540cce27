import { pullModels } from '../../../models/registry/pull-models.ts';
import { judgeDrill } from '../harness/judge-drill.ts';
import { TENANTS } from './loss-stack.ts';
import { runHsmLossDrill } from './run-hsm-loss-drill.ts';

/**
 * Runs the drill of a lost HSM, and prints what it came to.
 * @param json as one line
 * @returns the exit code: 0 where what may come back came, and nothing else
 */
export async function drillHsmLoss(json: boolean): Promise<number> {
  await pullModels({ onProgress: () => undefined });
  return await judgeDrill(
    json,
    runHsmLossDrill,
    ({ rewrapped, refusedWithoutQuorum, shreddedStayDead, lost = [], tenantBInterrupted, auditVerified }) =>
      rewrapped === 1 &&
      refusedWithoutQuorum === true &&
      shreddedStayDead === true &&
      lost.join() === TENANTS.lost &&
      tenantBInterrupted === false &&
      auditVerified === true,
  );
}
