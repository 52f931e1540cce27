import type { EnvelopeContext, EnvelopeKey } from '../../../shared/crypto/envelope.ts';
import { sealEnvelope } from '../../../shared/crypto/seal-envelope.ts';
import type { VaultScope } from '../scope.ts';
import { openIfIntact } from './open-if-intact.ts';

/** A key of the header. `bytes` (32) belong to the holder of the map; he wipes them. */
export interface HeaderKey {
  readonly version: number;
  readonly bytes: Buffer;
}
export type HeaderKeys = ReadonlyMap<string, HeaderKey>;

/** A key as it stands in header.json: `envelope` in base64. */
export interface SealedHeaderKey {
  readonly version: number;
  readonly envelope: string;
}

/** The epoch is the key's version, so that a header of one epoch never opens as another's. */
export function tenantKey(tek: Buffer, epoch: number): EnvelopeKey {
  return { id: 'tek', version: epoch, holds: 'keys', bytes: tek };
}

export function sealHeaderKey(tek: EnvelopeKey, scope: VaultScope, name: string, { version, bytes }: HeaderKey): SealedHeaderKey {
  return { version, envelope: sealEnvelope(tek, 'header-key', contextOf(scope, name, version), bytes).toString('base64') };
}

/** @returns undefined for what does not open */
export function openHeaderKey(tek: EnvelopeKey, scope: VaultScope, name: string, sealed: SealedHeaderKey): HeaderKey | undefined {
  const { version, envelope } = sealed;
  const bytes = openIfIntact(tek, 'header-key', contextOf(scope, name, version), Buffer.from(envelope, 'base64'));
  return bytes && { version, bytes };
}

function contextOf(scope: VaultScope, name: string, version: number): EnvelopeContext {
  return { org: scope.org, tenant: scope.tenant, record: `${scope.box}/${name}/${version}` };
}
