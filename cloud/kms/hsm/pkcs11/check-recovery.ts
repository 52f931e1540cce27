import { X509Certificate } from 'node:crypto';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import type { Recovery } from '../../../../shared/lease/recovery.ts';
import { readDeviceKey } from '../device-key.ts';
import { fingerprintOf } from './find-trusted-key.ts';
import type { Session } from './session.ts';
import { newestSigningKeys } from './signing-keys.ts';
import { findTransportPublicKey } from './transport-keys.ts';

/**
 * Whoever runs the cloud drafts a recovery, and could put in keys of his own: to open what boxes hand over, or to be believed by them. Each has to be
 * the newest of its use in this token.
 * @throws {SecureGateError} `recovery_rejected`
 */
export function checkRecovery(session: Session, { org, transport, keys, authorities }: Recovery): void {
  const held = newestSigningKeys(session);
  const isHeld = (use: string, { x, y }: Coordinates): boolean => {
    const key = held.get(use);
    return key !== undefined && key.x === x && key.y === y;
  };
  const foreign = Object.entries(keys).flatMap(([use, key]) => (isHeld(use, key) ? [] : [use]));
  if (fingerprintOf(session, findTransportPublicKey(session, org)) !== readDeviceKey(transport.key).fingerprint) foreign.push('transport');
  if (!authorities.every((pem) => isHeld('ca', keyIn(pem)))) foreign.push('ca');
  if (foreign.length > 0) {
    throw new SecureGateError('recovery_rejected', 'It names keys that are not in this HSM: nobody should sign it', {
      details: { org, foreign },
    });
  }
}

interface Coordinates {
  readonly x?: string | undefined;
  readonly y?: string | undefined;
}

function keyIn(pem: string): Coordinates {
  try {
    return new X509Certificate(pem).publicKey.export({ format: 'jwk' });
  } catch {
    // What is no certificate is none of an authority with a key in the HSM.
    return {};
  }
}
