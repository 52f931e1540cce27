import { calculateJwkThumbprint, compactVerify, decodeJwt, decodeProtectedHeader, importJWK } from 'jose';
import { z } from 'zod';
import type { ErrorCode } from '../errors/codes.ts';
import { SecureGateError } from '../errors/securegate-error.ts';
import { idSchema } from '../ids/ids.ts';
import { ulidSchema } from '../ids/ulid.ts';
import { type PublicKey, publicKeySchema } from '../lease/public-key.ts';

export const hashSchema = z.string().regex(/^[\w-]{43}$/, { error: 'not a SHA-256 in base64url' });

/** Why a head is not believed. */
export const LOG_REFUSALS = [
  'log_head_rejected',
  'key_change_rejected',
  'log_forked',
  'log_truncated',
  'log_backdated',
] as const satisfies readonly ErrorCode[];

const treeSchema = z.strictObject({
  /** Id of the log: a new one whenever it has lost some of its end. */
  log: ulidSchema,
  size: z.int().min(0),
  /** Root of the tree of its first `size` leaves (RFC 6962), base64url. */
  root: hashSchema,
  /** Milliseconds since the Unix epoch: not before any of these leaves, nor after any later one. */
  at: z.int().min(0),
});

/** Head of a log (what RFC 6962 calls a signed tree head), as a JWT (RFC 7519), ES256 by the HSM's key for the audit. */
export const LOG_HEAD_TYPE = 'securegate-log-head+jwt';
export const logHeadSchema = treeSchema;
export type LogHead = z.output<typeof logHeadSchema>;

/**
 * The control plane's word that a log goes on under a new id after `size` leaves, because it was restored from a backup: what came after
 * them in the log before is lost. The same form as a head, and never taken for one.
 */
export const LOG_FORK_TYPE = 'securegate-log-fork+jwt';
export const logForkSchema = treeSchema.extend({ of: ulidSchema });
export type LogFork = z.output<typeof logForkSchema>;

/** A box's word that a head goes on where the last one ended that it had signed: a JWT, ES256 by the key of its certificate. */
export const COSIGNATURE_TYPE = 'securegate-log-cosignature+jwt';
export const cosignatureSchema = treeSchema.extend({
  aud: z.literal('securegate-cloud'),
  /** The device. */
  sub: idSchema('box'),
});
export type Cosignature = z.output<typeof cosignatureSchema>;

/** A box's word that it was offered a head that it does not believe. The same form of signature. */
export const LOG_REFUSAL_TYPE = 'securegate-log-refusal+jwt';
export const logRefusalSchema = z.strictObject({
  aud: z.literal('securegate-cloud'),
  sub: idSchema('box'),
  iat: z.int(),
  /** Why, as an error code. */
  reason: z.enum(LOG_REFUSALS),
  /** The last head that it had signed, and the one that it was offered; as they are signed. */
  kept: z.string().max(2048),
  offered: z.string().max(2048),
});
export type LogRefusal = z.output<typeof logRefusalSchema>;

/** A word of the control plane about its log. */
export const logTokenSchema = z
  .string()
  .max(2048)
  .regex(/^[\w-]+\.[\w-]+\.[\w-]+$/);

/**
 * Checks that the control plane said something of its log: signed by a key that is pinned, which the header names by its thumbprint (RFC 7638).
 * @throws {SecureGateError} `log_head_rejected`
 */
export async function verifyLogToken<Schema extends z.ZodType>(
  token: string,
  type: string,
  schema: Schema,
  keys: readonly PublicKey[],
): Promise<z.output<Schema>> {
  try {
    const key = keys[await namedKey(token, keys)];
    if (key === undefined) throw new Error('no key of this name is pinned');
    const { payload, protectedHeader } = await compactVerify(token, await importJWK(key, 'ES256'), { algorithms: ['ES256'] });
    if (protectedHeader.typ !== type) throw new Error('it says something else');
    return schema.parse(JSON.parse(Buffer.from(payload).toString('utf8')));
  } catch (cause) {
    throw new SecureGateError('log_head_rejected', 'This is not what the control plane signed of its log', { cause });
  }
}

/** Which of some keys a word names as the one that signed it; -1: none of them. */
export async function namedKey(token: string, keys: readonly PublicKey[]): Promise<number> {
  const thumbprints = await Promise.all(keys.map((key) => calculateJwkThumbprint(key)));
  return thumbprints.indexOf(decodeProtectedHeader(token).kid ?? '');
}

/** Reads what a box has signed of the log, by the key in it: whose key that is, is for others to know. @throws {SecureGateError} `log_head_rejected` */
export async function verifyCosignature(token: string): Promise<Cosignature> {
  try {
    const key = await importJWK(publicKeySchema.parse(decodeProtectedHeader(token).jwk), 'ES256');
    const { payload, protectedHeader } = await compactVerify(token, key, { algorithms: ['ES256'] });
    if (protectedHeader.typ !== COSIGNATURE_TYPE) throw new Error('it says something else');
    return cosignatureSchema.parse(JSON.parse(Buffer.from(payload).toString('utf8')));
  } catch (cause) {
    throw new SecureGateError('log_head_rejected', 'This is not what a box signed of the log', { cause });
  }
}

/** What a head says, whoever signed it. @throws {ZodError} */
export function readHead(token: string): LogHead {
  return logHeadSchema.parse(decodeJwt(token));
}

/** What a fork says, whoever signed it. @throws {ZodError} */
export function readFork(token: string): LogFork {
  return logForkSchema.parse(decodeJwt(token));
}
