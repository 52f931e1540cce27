import { prepare } from '../../demo/prepare.ts';
import { judgeDrill } from '../harness/judge-drill.ts';
import { runShredDrill } from './run-shred-drill.ts';

/**
 * Runs the drill of a shred, and prints what it came to.
 * @param json as one line
 * @returns the exit code: 0 where nothing came back and nobody else noticed
 */
export async function drillShred(json: boolean): Promise<number> {
  return await judgeDrill(
    json,
    async (options) => await runShredDrill(await prepare(options.say), options),
    ({ recoverable, customerRecoverable, tenantBInterrupted, receipts = 0, auditVerified, tpm }) =>
      recoverable === false &&
      customerRecoverable === false &&
      tenantBInterrupted === false &&
      receipts > 0 &&
      auditVerified === true &&
      (tpm === null || tpm?.after?.opened === 0),
  );
}
