import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { SecureGateError } from '../errors/securegate-error.ts';

/** Where a secret lies: a file for its owner alone, or a credential that systemd hands to the service (`LoadCredential=`). */
export const secretSourceSchema = z.union([
  z.strictObject({ file: z.string().min(1) }),
  z.strictObject({ credential: z.string().regex(/^[\w-]+$/) }),
]);
export type SecretSource = z.output<typeof secretSourceSchema>;

const MOST_BYTES = 4096;

/**
 * Reads a secret.
 * Arguments and environment are readable for others and are no place for secrets.
 * @returns unpooled bytes that the caller owns and wipes
 * @throws {SecureGateError} `secret_file_unsafe`
 */
export function readSecretFile(source: SecretSource): Buffer {
  const path = 'file' in source ? source.file : join(process.env.CREDENTIALS_DIRECTORY ?? '', source.credential);
  const fd = open(path);
  try {
    const { mode, uid, size } = fstatSync(fd);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw unsafe('The secret is not in a regular file', path);
    // systemd guards its folder itself and shows its access list as rights of the group.
    if ('file' in source) {
      if ((mode & 0o077) !== 0) throw unsafe('The secret file is open to others', path);
      if (uid !== process.getuid?.()) throw unsafe('The secret file belongs to another user', path);
    }
    if (size === 0 || size > MOST_BYTES) throw unsafe('The secret file is empty or too long', path);
    const secret = Buffer.alloc(size);
    readSync(fd, secret, 0, size, 0);
    return secret;
  } finally {
    closeSync(fd);
  }
}

/** A secret that is text, as a PIN is, without the line end that an editor may have added. */
export function readSecretText(source: SecretSource): Buffer {
  const secret = readSecretFile(source);
  let end = secret.length;
  while (end > 0 && (secret[end - 1] === 0x0a || secret[end - 1] === 0x0d)) end -= 1;
  return secret.subarray(0, end);
}

function open(path: string): number {
  try {
    // O_NONBLOCK: a pipe in the file's place must not hang the start.
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    throw unsafe('The secret file cannot be opened', path, cause);
  }
}

function unsafe(message: string, path: string, cause?: unknown): SecureGateError {
  return new SecureGateError('secret_file_unsafe', message, { cause, details: { path } });
}
