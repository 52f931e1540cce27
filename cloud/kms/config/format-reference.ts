import { formatReference } from '../../../shared/config/format-reference.ts';
import { kmsConfigSchema } from './schema.ts';

/** The reference page of the configuration. `node cloud/kms/config/format-reference.ts > cloud/kms/config/REFERENCE.md` writes it anew. */
export function formatKmsReference(): string {
  return formatReference(kmsConfigSchema, [
    '# Configuration of the KMS',
    '',
    'Made from `schema.ts` by `format-reference.ts`. The file is JSON; `securegate kms --config FILE` reads it once, so a change',
    'counts from the next start on. Fields that are not in this table are refused. Secrets are not in it, only where they are: `file` (mode 0600),',
    'or a credential of systemd (`credential`).',
  ]);
}

if (import.meta.main) process.stdout.write(formatKmsReference());
