import type { KeyObject, KeyPairKeyObjectResult } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { z } from 'zod';
import { runFolder, secretsFile } from './run-folder.ts';

export const secretSchema = z.strictObject({ name: z.string(), form: z.enum(['text', 'bytes']), base64: z.string() });
export type NotedSecret = z.output<typeof secretSchema>;

/** What is shorter turns up by chance. */
const SHORTEST = 8;
/** Keys that a test makes up of one byte look like any padding. */
const FEWEST_VALUES = 6;

const noted = new Set<string>();

/**
 * Says that something must not turn up in any log or output of this run. Whoever makes a secret for a test notes it.
 * @param secret text is looked for as it is; bytes in every form in which bytes are written, and also parts of them
 */
export function noteSecret(name: string, secret: string | Buffer): void {
  const folder = runFolder();
  const bytes = Buffer.from(secret);
  if (folder === undefined || bytes.length < SHORTEST || new Set(bytes).size < FEWEST_VALUES) return;
  const form = typeof secret === 'string' ? 'text' : 'bytes';
  const line: NotedSecret = { name, form, base64: bytes.toString('base64') };
  if (noted.has(line.base64)) return;
  noted.add(line.base64);
  appendFileSync(secretsFile(folder), `${JSON.stringify(line)}\n`, { mode: 0o600 });
}

/** Of a signed token the signature is secret: without it, it is just what somebody says. @returns the token */
export function noteToken(name: string, token: string): string {
  noteSecret(name, token.slice(token.lastIndexOf('.') + 1));
  return token;
}

/** RFC 7518, RFC 8812. */
const JWK_CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1', 'secp256k1']);

/** The private part of a key, however it is exported. */
export function notePrivateKey(name: string, key: KeyObject): void {
  // Of other curves there are keys only where a test has them refused.
  if (key.asymmetricKeyType === 'ec' && !JWK_CURVES.has(key.asymmetricKeyDetails?.namedCurve ?? '')) return;
  const { d = '' } = key.export({ format: 'jwk' });
  noteSecret(name, Buffer.from(d, 'base64url'));
}

/** @returns the pair */
export function noteKeyPair(name: string, pair: KeyPairKeyObjectResult): KeyPairKeyObjectResult {
  notePrivateKey(name, pair.privateKey);
  return pair;
}
