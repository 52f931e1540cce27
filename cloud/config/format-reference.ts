import { formatReference } from '../../shared/config/format-reference.ts';
import { cloudConfigSchema } from './schema.ts';

/** The reference page of the configuration. `node cloud/config/format-reference.ts > cloud/config/REFERENCE.md` writes it anew. */
export function formatCloudReference(): string {
  return formatReference(cloudConfigSchema, [
    '# Configuration of the control plane',
    '',
    'Made from `schema.ts` by `format-reference.ts`. The file is JSON; `securegate cloud run --config FILE` reads it once, so a change',
    'counts from the next start on. Fields that are not in this table are refused. The address of a Postgres, which holds a password, stands',
    'in the environment: `DATABASE_URL`. Limits of requests are counted by each process for itself.',
  ]);
}

if (import.meta.main) process.stdout.write(formatCloudReference());
