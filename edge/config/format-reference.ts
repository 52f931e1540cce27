import { formatReference } from '../../shared/config/format-reference.ts';
import { configSchema } from './schema.ts';

/** The reference page of the configuration. `node edge/config/format-reference.ts > edge/config/REFERENCE.md` writes it anew. */
export function formatBoxReference(): string {
  return formatReference(configSchema, [
    '# Configuration of the box',
    '',
    'Made from `schema.ts` by `format-reference.ts`. The file is JSON; `securegate edge --config FILE` reads it once, so a change',
    'counts from the next start on. Relative paths count from the folder of the file. Fields that are not in this table are refused.',
    'Editors can check the file against `schema.json`.',
  ]);
}

if (import.meta.main) process.stdout.write(formatBoxReference());
