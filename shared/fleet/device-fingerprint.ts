import { createHash } from 'node:crypto';

/**
 * Both keys of a box in one short text, which two people can compare by telephone.
 * @param wrap fingerprint of its RSA key
 * @param jkt thumbprint (RFC 7638) of its signing key
 */
export function deviceFingerprint(wrap: string, jkt: string): string {
  const hash = createHash('sha256').update(`${wrap}.${jkt}`).digest('hex');
  return (hash.slice(0, 32).match(/.{4}/g) ?? []).join('-');
}
