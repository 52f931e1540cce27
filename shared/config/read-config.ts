import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { SecureGateError } from '../errors/securegate-error.ts';

/**
 * Reads and checks a configuration file (JSON). It holds no secrets, only where they are.
 * @throws {SecureGateError} `config_missing`, `config_invalid` with the fields at fault
 */
export function readConfig<Schema extends z.ZodType>(file: string, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(parseJson(file, readText(file)));
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the whole'}: ${message}`);
  throw new SecureGateError('config_invalid', `${file} is not valid`, { details: { fields } });
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SecureGateError('config_missing', `Cannot read ${file}`, { cause });
  }
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SecureGateError('config_invalid', `${file} is not JSON`, { cause });
  }
}
