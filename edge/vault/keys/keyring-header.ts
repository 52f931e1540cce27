import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { EnvelopeContext, EnvelopeKey } from '../../../shared/crypto/envelope.ts';
import { openEnvelope } from '../../../shared/crypto/open-envelope.ts';
import { sealEnvelope } from '../../../shared/crypto/seal-envelope.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { VaultScope } from '../scope.ts';
import { HEADER_KEY_NAMES } from './header-keys.ts';

/** header.json. What it says in clear only tells a wrong file from a damaged one: the proof is that the envelopes open. */
const headerSchema = z.strictObject({
  format: z.literal('securegate-keyring'),
  version: z.literal(1),
  org: z.string(),
  tenant: z.string(),
  box: z.string(),
  epoch: z.number().int().min(1).max(0xffffffff),
  keys: z.record(z.string(), z.strictObject({ version: z.number().int().min(1).max(0xffffffff), envelope: z.base64() })),
});
export type KeyringHeader = z.infer<typeof headerSchema>;

/** A key of the header. `bytes` (32) belong to the holder of the map; he wipes them. */
export interface HeaderKey {
  readonly version: number;
  readonly bytes: Buffer;
}
export type HeaderKeys = ReadonlyMap<string, HeaderKey>;

/** Makes the header of a new vault: fresh random keys under the tenant key of `epoch`. */
export function createHeader(tek: Buffer, epoch: number, scope: VaultScope): Buffer {
  const key = tenantKey(tek, epoch);
  const keys: KeyringHeader['keys'] = {};
  for (const name of HEADER_KEY_NAMES) {
    const bytes = randomBytes(32);
    keys[name] = { version: 1, envelope: sealEnvelope(key, 'header-key', contextOf(scope, name, 1), bytes).toString('base64') };
    bytes.fill(0);
  }
  const header: KeyringHeader = { format: 'securegate-keyring', version: 1, ...scope, epoch, keys };
  return Buffer.from(`${JSON.stringify(header, null, 1)}\n`);
}

/**
 * Reads a header and checks that it claims to be this vault's.
 * @throws {SecureGateError} `vault_corrupt` when it is not a header, `key_rejected` when it is another vault's
 */
export function parseHeader(content: Buffer, scope: VaultScope): KeyringHeader {
  let json: unknown;
  try {
    json = JSON.parse(content.toString('utf8'));
  } catch (cause) {
    throw new SecureGateError('vault_corrupt', 'The keyring header cannot be read', { cause });
  }
  const parsed = headerSchema.safeParse(json);
  if (!parsed.success) throw new SecureGateError('vault_corrupt', 'The keyring header is not complete');
  const header = parsed.data;
  if (header.org !== scope.org || header.tenant !== scope.tenant || header.box !== scope.box) {
    throw new SecureGateError('key_rejected', 'The keyring header belongs to another org, tenant or box', {
      details: { org: header.org, tenant: header.tenant, box: header.box },
    });
  }
  return header;
}

/**
 * Opens every key of the header.
 * @param tek the tenant key of `header.epoch`; stays the caller's, who wipes it
 * @throws {SecureGateError} `key_rejected` when no key opens (wrong key, other epoch, other owner), `vault_corrupt` when some do and some do not
 */
export function openHeader(header: KeyringHeader, tek: Buffer, scope: VaultScope): HeaderKeys {
  const key = tenantKey(tek, header.epoch);
  const keys = new Map<string, HeaderKey>();
  for (const name of HEADER_KEY_NAMES) {
    const entry = header.keys[name];
    const bytes = entry && openKey(key, contextOf(scope, name, entry.version), entry.envelope);
    if (bytes) keys.set(name, { version: entry.version, bytes });
  }
  if (keys.size === HEADER_KEY_NAMES.length) return keys;
  for (const { bytes } of keys.values()) bytes.fill(0);
  if (keys.size === 0) throw new SecureGateError('key_rejected', 'The tenant key does not open this keyring header');
  throw new SecureGateError('vault_corrupt', 'Keys of the keyring header are damaged or missing', {
    details: { damaged: HEADER_KEY_NAMES.length - keys.size },
  });
}

function openKey(key: EnvelopeKey, context: EnvelopeContext, envelope: string): Buffer | undefined {
  try {
    return openEnvelope(key, 'header-key', context, Buffer.from(envelope, 'base64'));
  } catch (error) {
    if (error instanceof SecureGateError && error.code === 'envelope_rejected') return undefined;
    throw error;
  }
}

/** The epoch is the key's version, so that a header of one epoch never opens as another's. */
function tenantKey(tek: Buffer, epoch: number): EnvelopeKey {
  return { id: 'tek', version: epoch, holds: 'keys', bytes: tek };
}

function contextOf(scope: VaultScope, name: string, version: number): EnvelopeContext {
  return { org: scope.org, tenant: scope.tenant, record: `${scope.box}/${name}/${version}` };
}
