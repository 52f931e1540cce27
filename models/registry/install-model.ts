import { constants, copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { decodeModel, shapeOf } from '../convert/onnx-graph.ts';
import { rewriteGraph } from '../convert/rewrite-graph.ts';
import { checkContract } from './check-contract.ts';
import { hashFile } from './hash-file.ts';
import { type InstalledRecord, installedFiles } from './installed-files.ts';
import type { ModelEntry } from './manifest-schema.ts';
import { flushToDisk, withStaging } from './staging.ts';

/**
 * Puts one model into the models folder: copies the file, compares it with the manifest (SHA-256 and contract), gives it its
 * dynamic batch dimension and moves everything into place at once. Up to that last step nothing is kept.
 * @param file the file as its source has it; it stays where it is
 * @param store the models folder
 * @throws {SecureGateError} `model_integrity`, `model_contract`, `storage_failed`
 */
export async function installModel(entry: ModelEntry, file: string, store: string): Promise<void> {
  await withStaging(store, (staging) => installFrom(entry, file, store, staging));
}

async function installFrom(entry: ModelEntry, file: string, store: string, staging: string): Promise<void> {
  const made = installedFiles(staging, entry);
  await mkdir(made.folder);
  await copyFile(file, made.source, constants.COPYFILE_FICLONE);
  const sourceSha256 = await hashFile(made.source);
  if (entry.sha256 !== null && sourceSha256 !== entry.sha256) {
    throw new SecureGateError('model_integrity', `${entry.id}: the file has SHA-256 ${sourceSha256}, the manifest says ${entry.sha256}`, {
      details: { model: entry.id, expected: entry.sha256, actual: sourceSha256 },
    });
  }
  const source = await readFile(made.source);
  checkContract(entry, shapeOf(decodeModel(source).graph), entry.rewrite === null);
  if (entry.rewrite !== null) {
    const rewritten = rewriteGraph(source, entry.rewrite);
    checkContract(entry, shapeOf(decodeModel(rewritten).graph), true);
    await writeFile(made.model, rewritten);
  }
  const record: InstalledRecord = {
    sourceSha256,
    modelSha256: await hashFile(made.model),
    acceptedLicence: entry.licence.mustAccept ? entry.licence.name : null,
  };
  await writeFile(made.record, `${JSON.stringify(record, null, 2)}\n`);
  for (const path of new Set([made.source, made.model, made.record, made.folder])) await flushToDisk(path);
  await moveIntoPlace(made.folder, installedFiles(store, entry).folder, join(staging, 'replaced'));
  await flushToDisk(store);
}

/** A folder cannot be renamed over one with content: that one is moved away first, and goes with the staging folder. */
async function moveIntoPlace(from: string, to: string, away: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'ENOTEMPTY' || error.code === 'EEXIST'))) throw error;
    await rename(to, away);
    await rename(from, to);
  }
}
