import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { idSchema, parseSlug } from '../../shared/ids/ids.ts';

/** Whose vault it is: one tenant of one org on one box. Every sealed record of the vault is bound to it. */
export interface VaultScope {
  readonly org: string;
  readonly tenant: string;
  readonly box: string;
}

/**
 * Checks the ids before any of them becomes part of a path or a key's context.
 * @throws {SecureGateError} `invalid_id`
 */
export function parseScope(scope: VaultScope): VaultScope {
  const box = idSchema('box').safeParse(scope.box);
  if (!box.success) throw new SecureGateError('invalid_id', 'Not a valid box id', { details: { kind: 'box' } });
  return { org: parseSlug('org', scope.org), tenant: parseSlug('tenant', scope.tenant), box: box.data };
}
