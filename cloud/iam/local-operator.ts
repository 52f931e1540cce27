import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { People } from './people.ts';

/** The account of whoever works on the machine of the control plane. */
export const LOCAL_OPERATOR = `svc_${'a'.repeat(26)}`;

/** Sees to it that there is the account of the operator on this machine. */
export async function ensureLocalOperator(people: People): Promise<void> {
  if ((await people.account(LOCAL_OPERATOR)) !== undefined) return;
  const person = { kind: 'service', name: 'Operator on the machine' } as const;
  try {
    await people.create('', LOCAL_OPERATOR, person, [{ role: 'platform:operator' }]);
  } catch (error) {
    // Another process on the same database started at the same moment.
    if (SecureGateError.from(error).code !== 'conflict') throw error;
  }
}
