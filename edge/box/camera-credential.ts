import { mkdirSync, readdirSync, unlinkSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { readSecretText } from '../../shared/config/read-secret-file.ts';
import { isMissing } from '../../shared/errors/is-missing.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { slugSchema } from '../../shared/ids/ids.ts';
import { writeFileDurably } from '../runtime/write-file-durably.ts';

/** Where credentials of cameras lie in the key folder, each in a file of its name. */
export const CREDENTIALS_FOLDER = 'cameras';
const credentialSchema = z.strictObject({
  hosts: z.array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6(), z.hostname().lowercase()])).min(1),
  user: z.string().regex(/^[^:\r\n]+$/),
  password: z.string().regex(/^[^\r\n]*$/),
});

/**
 * Keeps user and password of cameras on this box under a name.
 * @param credential `user:password`
 * @param hosts addresses, networks (CIDR) or names, the only ones to which they are ever sent: whoever says where a camera is, could else have
 *   them sent to himself
 * @throws {SecureGateError} `invalid_request`
 */
export function keepCameraCredential(folder: string, name: string, credential: string, hosts: readonly string[]): void {
  const colon = credential.indexOf(':');
  const kept = credentialSchema.safeParse({ hosts, user: credential.slice(0, Math.max(colon, 0)), password: credential.slice(colon + 1) });
  if (!slugSchema.safeParse(name).success || !kept.success) {
    throw new SecureGateError(
      'invalid_request',
      'A credential is user:password, under a name of lower-case letters, digits and dashes, for addresses, networks or names of hosts',
    );
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileDurably(join(folder, name), Buffer.from(JSON.stringify(kept.data)));
}

/** @returns the names of the credentials on this box */
export function cameraCredentials(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => slugSchema.safeParse(name).success);
  } catch (error) {
    if (!isMissing(error)) throw error;
    return [];
  }
}

/** @throws {SecureGateError} `camera_credential_missing` */
export function removeCameraCredential(folder: string, name: string): void {
  if (!cameraCredentials(folder).includes(name)) {
    throw new SecureGateError('camera_credential_missing', 'There is no such credential on this box', { details: { name } });
  }
  unlinkSync(join(folder, name));
}

/**
 * The address of a camera with the user and password that lie on this box under a name: the control plane knows the name alone.
 * @throws {SecureGateError} `camera_credential_missing`, `camera_credential_elsewhere`, `secret_file_unsafe`
 */
export function cameraAddress(url: string, name: string | null, folder: string): string {
  if (name === null) return url;
  const { hosts, user, password } = readCredential(folder, name);
  const host = URL.canParse(url) ? new URL(url).hostname.toLowerCase().replace(/^\[(.*)\]$/, '$1') : '';
  if (!isAmong(hosts, host)) {
    throw new SecureGateError('camera_credential_elsewhere', 'This credential is for other hosts', { details: { name, host } });
  }
  return url.replace('://', `://${encodeURIComponent(user)}:${encodeURIComponent(password)}@`);
}

function readCredential(folder: string, name: string): z.output<typeof credentialSchema> {
  const secret = readFile(join(folder, name));
  try {
    return credentialSchema.parse(JSON.parse(secret.toString('utf8')));
  } catch {
    // What is wrong with it would tell what it holds.
    throw new SecureGateError('camera_credential_missing', 'What lies there was not put there by this program', { details: { name } });
  } finally {
    secret.fill(0);
  }
}

function readFile(file: string): Buffer {
  try {
    return readSecretText({ file });
  } catch (error) {
    const { cause } = SecureGateError.from(error);
    if (!isMissing(cause)) throw error;
    throw new SecureGateError('camera_credential_missing', 'There is no such credential on this box', { cause });
  }
}

function isAmong(hosts: readonly string[], host: string): boolean {
  if (isIP(host) === 0) return hosts.includes(host);
  const networks = new BlockList();
  for (const one of hosts) {
    const [address = '', prefix] = one.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix !== undefined) networks.addSubnet(address, Number(prefix), family);
    else if (isIP(address) !== 0) networks.addAddress(address, family);
  }
  return networks.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
}
