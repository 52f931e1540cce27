import { createHash, randomBytes } from 'node:crypto';

/** 256 random bits as text for a header, a cookie or a link. */
export function newSecretText(): string {
  return randomBytes(32).toString('base64url');
}

/** What is stored in place of such a text: nobody finds 256 random bits by trying, so that one round of SHA-256 is enough. */
export function hashSecretText(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
