import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { EstClient } from './est-client.ts';
import type { LinkFolder } from './link-folder.ts';

/** The box leaves its org: it tells the control plane, and forgets it. @throws {SecureGateError} `not_enrolled`, `cloud_unavailable` */
export async function leave(folder: LinkFolder): Promise<void> {
  const { cloud, authorities, certificate } = folder.read();
  try {
    await new EstClient({ cloud, authorities, credentials: { key: folder.key.open(), certificate } }).leave();
  } catch (error) {
    // Where it was let go or denied already, there is nothing left to tell.
    if (!(error instanceof SecureGateError) || !['certificate_rejected', 'device_denied'].includes(error.code)) throw error;
  }
  folder.clear();
}
