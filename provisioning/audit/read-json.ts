import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { isMissing } from '../../shared/errors/is-missing.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';

/** @returns undefined where there is no such file @throws {SecureGateError} `file_unreadable` */
export async function readJson<Schema extends z.ZodType>(file: string, schema: Schema): Promise<z.output<Schema> | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw new SecureGateError('file_unreadable', `Cannot read ${file}`, { cause });
  }
}

/** A file that somebody named. @throws {SecureGateError} `file_unreadable` */
export async function requireJson<Schema extends z.ZodType>(file: string, schema: Schema): Promise<z.output<Schema>> {
  const content = await readJson(file, schema);
  if (content === undefined) throw new SecureGateError('file_unreadable', `There is no ${file}`);
  return content;
}
