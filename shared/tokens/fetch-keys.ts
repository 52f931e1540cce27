import type { JSONWebKeySet } from 'jose';
import { z } from 'zod';
import { SecureGateError } from '../errors/securegate-error.ts';

const MOST_BYTES = 64 * 1024;
const MOST_KEYS = 32;
const coordinate = z.string().regex(/^[\w-]{43}$/);

/** Public keys for ES256, and of each only what makes it one. */
export const issuerKeySchema = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  kid: z.string().min(1).max(200),
  x: coordinate,
  y: coordinate,
});

/**
 * Fetches the keys of an issuer. Keys of other kinds are passed over.
 * @throws {SecureGateError} `issuer_unavailable` when there are none, whatever the reason
 */
export async function fetchKeys(url: string, signal: AbortSignal): Promise<JSONWebKeySet> {
  try {
    const answer = await fetch(url, { redirect: 'error', signal, headers: { accept: 'application/json' } });
    if (answer.status !== 200) throw new Error(`answered ${answer.status}`);
    const { keys } = z.object({ keys: z.array(z.unknown()).max(MOST_KEYS) }).parse(JSON.parse(await readText(answer)));
    const usable = keys.flatMap((key) => issuerKeySchema.safeParse(key).data ?? []);
    if (usable.length === 0) throw new Error('there is no key for ES256 with an id');
    return { keys: usable };
  } catch (cause) {
    throw new SecureGateError('issuer_unavailable', 'The keys of the issuer cannot be fetched', { cause, details: { url } });
  }
}

async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
