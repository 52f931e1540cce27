import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { SecureGateError } from '../errors/securegate-error.ts';

/**
 * Names that people give (orgs, tenants, cameras). They become folder names and topic parts,
 * so nothing but lower-case letters, digits and inner dashes is let through.
 */
export const slugSchema = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])$/, {
  error: '2 to 63 lower-case letters, digits and dashes, not at the ends',
});

/** @throws {SecureGateError} `invalid_id` */
export function parseSlug(kind: 'org' | 'tenant' | 'camera', value: string): string {
  const parsed = slugSchema.safeParse(value);
  if (!parsed.success) {
    throw new SecureGateError('invalid_id', `Not a valid ${kind} id`, { details: { kind, value: value.slice(0, 80) } });
  }
  return parsed.data;
}

const PREFIXES = {
  box: 'box',
  customer: 'cus',
  face: 'fac',
  consent: 'con',
  sighting: 'sig',
  record: 'rec',
  delivery: 'dlv',
  cek: 'cek',
  apiKey: 'key',
  user: 'usr',
  service: 'svc',
  enrolmentToken: 'ent',
} as const;
export type IdKind = keyof typeof PREFIXES;

/** A random opaque id (128 bits, base32 without padding, with its kind as prefix); it tells nothing about time or person. */
export function newId(kind: IdKind, random: (size: number) => Buffer = randomBytes): string {
  return `${PREFIXES[kind]}_${base32(random(16))}`;
}

/** Schema of an id made by {@link newId}. */
export function idSchema(kind: IdKind): z.ZodString {
  return z.string().regex(new RegExp(`^${PREFIXES[kind]}_[a-z2-7]{26}$`), { error: `not a ${kind} id` });
}

/** A user or a service account of the control plane. */
export const principalIdSchema = z.union([idSchema('user'), idSchema('service')]);

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** RFC 4648 base32, lower case, without padding. */
function base32(bytes: Uint8Array): string {
  let bits = 0;
  let value = 0;
  let text = '';
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(value >>> bits) & 31];
    }
  }
  return bits > 0 ? text + ALPHABET[(value << (5 - bits)) & 31] : text;
}
