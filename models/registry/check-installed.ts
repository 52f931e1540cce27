import { readFile } from 'node:fs/promises';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { hashFile } from './hash-file.ts';
import { type InstalledRecord, installedFiles, installedRecordSchema } from './installed-files.ts';
import type { ModelEntry } from './manifest-schema.ts';

/**
 * Makes sure that the file which will be loaded is the one that was installed, and of the version that the manifest pins.
 * @returns its path and the record of its installation
 * @throws {SecureGateError} `model_missing`, `model_integrity`
 */
export async function checkInstalled(entry: ModelEntry, store: string): Promise<{ path: string; record: InstalledRecord }> {
  const { model, record: recordFile } = installedFiles(store, entry);
  const details = { model: entry.id, store };
  let recordText: string;
  let modelSha256: string;
  try {
    recordText = await readFile(recordFile, 'utf8');
    modelSha256 = await hashFile(model);
  } catch (cause) {
    throw new SecureGateError('model_missing', `${entry.id} is not in ${store}`, { cause, details });
  }
  const record = parseRecord(recordText);
  if (record === null) throw new SecureGateError('model_integrity', `${entry.id}: its record is damaged`, { details });
  if (entry.sha256 !== null && record.sourceSha256 !== entry.sha256) {
    throw new SecureGateError('model_integrity', `${entry.id}: another version than the manifest's is installed`, { details });
  }
  if (record.modelSha256 !== modelSha256) {
    throw new SecureGateError('model_integrity', `${entry.id}: ${model} is not the file that was installed`, { details });
  }
  return { path: model, record };
}

function parseRecord(text: string): InstalledRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return installedRecordSchema.safeParse(value).data ?? null;
}
