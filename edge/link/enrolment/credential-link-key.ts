import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { LinkKey } from './link-key.ts';
import { parseLinkKey } from './parse-link-key.ts';

/**
 * The key as a credential that systemd hands to the service (`LoadCredentialEncrypted=`): on the disk it is sealed, by the TPM where
 * there is one. It is made by whoever sets up the service.
 */
export class CredentialLinkKey implements LinkKey {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  open(): KeyObject {
    const file = join(process.env.CREDENTIALS_DIRECTORY ?? '', this.#name);
    try {
      return parseLinkKey(readFileSync(file));
    } catch (cause) {
      if (cause instanceof SecureGateError) throw cause;
      throw new SecureGateError('key_file_missing', 'systemd hands over no such credential', {
        cause,
        details: { credential: this.#name },
      });
    }
  }

  forget(): void {
    // It belongs to whoever set up the service.
  }
}
