import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { ModelEntry } from './manifest-schema.ts';

/** @throws {SecureGateError} `model_licence` when the operator must accept the licence and has not */
export function requireLicence({ id, licence }: ModelEntry, accepted: boolean): void {
  if (accepted || !licence.mustAccept) return;
  const use = licence.commercialUse ? '' : '; commercial use is not allowed';
  throw new SecureGateError('model_licence', `${id} comes under "${licence.name}"${use}: ${licence.url ?? 'see its model card'}`, {
    details: { model: id, licence: licence.name, url: licence.url ?? null, commercialUse: licence.commercialUse },
  });
}
