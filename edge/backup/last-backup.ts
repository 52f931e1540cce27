import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isMissing } from '../../shared/errors/is-missing.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Manifest } from './manifest.ts';
import { replaceDurably } from './replace-durably.ts';

const lastBackupSchema = z.strictObject({
  at: z.iso.datetime(),
  /** Of the key that each tenant had then. Who backs up copies the key folder as well. */
  epochs: z.record(z.string(), z.number().int()),
});
export type LastBackup = z.infer<typeof lastBackupSchema>;

/**
 * What is known of the last backup of this box. It is written down in the key folder, where an older copy of the data does not take it back.
 * @returns null where none was made
 * @throws {SecureGateError} `storage_failed`
 */
export async function readLastBackup(keyDir: string): Promise<LastBackup | null> {
  try {
    return lastBackupSchema.parse(JSON.parse(await readFile(fileIn(keyDir), 'utf8')));
  } catch (error) {
    if (isMissing(error)) return null;
    throw SecureGateError.from(error, 'storage_failed');
  }
}

/** @throws {SecureGateError} `storage_failed` */
export async function writeLastBackup(keyDir: string, { at, tenants }: Manifest): Promise<void> {
  const last: LastBackup = { at, epochs: Object.fromEntries(tenants.map(({ id, epoch }) => [id, epoch])) };
  try {
    await replaceDurably(fileIn(keyDir), `${JSON.stringify(last)}\n`);
  } catch (error) {
    throw SecureGateError.from(error, 'storage_failed');
  }
}

function fileIn(keyDir: string): string {
  return join(keyDir, 'last-backup.json');
}
