import { z } from 'zod';
import { configSchema } from './schema.ts';

/**
 * The configuration as JSON Schema (draft 2020-12), for editors. It says all about single fields; what several of them
 * must have in common is checked at the start alone.
 * `node edge/config/format-json-schema.ts > edge/config/schema.json` writes it anew.
 */
export function formatJsonSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(configSchema, { io: 'input' }), null, 2)}\n`;
}

if (import.meta.main) process.stdout.write(formatJsonSchema());
