import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { VaultScope } from '../scope.ts';
import { type HeaderKey, type HeaderKeys, openHeaderKey, sealHeaderKey, tenantKey } from './header-key.ts';
import { HEADER_KEY_NAMES } from './header-keys.ts';
import { wipeKeys } from './wipe-keys.ts';

const epochSchema = z.number().int().min(1).max(0xffffffff);
const keysSchema = z.record(z.string(), z.strictObject({ version: z.number().int().min(1).max(0xffffffff), envelope: z.base64() }));

/** header.json. What it says in clear only tells a wrong file from a damaged one: the proof is that the envelopes open. */
const headerSchema = z.strictObject({
  format: z.literal('securegate-keyring'),
  version: z.literal(1),
  org: z.string(),
  tenant: z.string(),
  box: z.string(),
  epoch: epochSchema,
  /** The epoch to move to, from before the first header is sealed with its key until the header of that epoch is in this one's place. */
  movingTo: epochSchema.optional(),
  keys: keysSchema,
  /** The shard keys before these, until no customer's key is under them any more. */
  previous: keysSchema.optional(),
});
export type KeyringHeader = Readonly<z.infer<typeof headerSchema>>;

/** Makes the header of a new vault: fresh random keys under the tenant key of `epoch`. */
export function createHeader(tek: Buffer, epoch: number, scope: VaultScope): Buffer {
  const keys: KeyringHeader['keys'] = {};
  for (const name of HEADER_KEY_NAMES) {
    const bytes = randomBytes(32);
    keys[name] = sealHeaderKey(tenantKey(tek, epoch), scope, name, { version: 1, bytes });
    bytes.fill(0);
  }
  return formatHeader({ format: 'securegate-keyring', version: 1, ...scope, epoch, keys });
}

/** What is written to header.json. */
export function formatHeader(header: KeyringHeader): Buffer {
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
  return openAll(header, header.keys, HEADER_KEY_NAMES, tek, scope);
}

/**
 * Opens the shard keys before those of {@link openHeader}, where a re-keying has begun.
 * @throws {SecureGateError} as openHeader
 */
export function openPrevious(header: KeyringHeader, tek: Buffer, scope: VaultScope): HeaderKeys {
  const { previous = {} } = header;
  return openAll(header, previous, Object.keys(previous), tek, scope);
}

function openAll(
  { epoch }: KeyringHeader,
  sealed: KeyringHeader['keys'],
  names: readonly string[],
  tek: Buffer,
  scope: VaultScope,
): HeaderKeys {
  const keys = new Map<string, HeaderKey>();
  for (const name of names) {
    const entry = sealed[name];
    const key = entry && openHeaderKey(tenantKey(tek, epoch), scope, name, entry);
    if (key) keys.set(name, key);
  }
  if (keys.size === names.length) return keys;
  wipeKeys(keys);
  if (keys.size === 0) throw new SecureGateError('key_rejected', 'The tenant key does not open this keyring header');
  throw new SecureGateError('vault_corrupt', 'Keys of the keyring header are damaged or missing', {
    details: { damaged: names.length - keys.size },
  });
}
