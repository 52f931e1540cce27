import type { KeyObject } from 'node:crypto';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Enrolment } from '../../../shared/fleet/enrolment.ts';
import { EstClient } from './est-client.ts';

/**
 * Asks the control plane, over HTTPS, whether it has denied this box. Only who shows a certificate of the authorities with which the box
 * enrolled can say so: a broker that refuses a box, or somebody between, cannot.
 * @returns undefined where it does not say so, or says nothing
 */
export async function askDenial(enrolment: Enrolment, key: KeyObject): Promise<SecureGateError | undefined> {
  const { cloud, authorities, certificate } = enrolment;
  try {
    await new EstClient({ cloud, authorities, credentials: { key, certificate } }).link();
  } catch (error) {
    const reason = SecureGateError.from(error);
    if (reason.code === 'device_denied') return reason;
  }
  return undefined;
}
