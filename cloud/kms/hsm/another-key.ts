import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Cell } from './hsm.ts';

export function anotherKey({ org, tenant, epoch }: Cell): SecureGateError {
  return new SecureGateError('tek_rejected', 'What a box handed over is not the key of this tenant and epoch', {
    details: { org, tenant, epoch },
  });
}
