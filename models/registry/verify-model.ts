import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { rewriteGraph } from '../convert/rewrite-graph.ts';
import { checkInstalled } from './check-installed.ts';
import { installedFiles } from './installed-files.ts';
import type { ModelEntry } from './manifest-schema.ts';

/**
 * Checks an installed model from the ground up: the source file against the manifest, and the rewritten file against a
 * rewrite made anew, so that not even a changed record beside a changed file goes unseen.
 * @throws {SecureGateError} `model_missing`, `model_integrity`
 */
export async function verifyModel(entry: ModelEntry, store: string): Promise<void> {
  const { record } = await checkInstalled(entry, store);
  const files = installedFiles(store, entry);
  const damaged = (file: string): SecureGateError =>
    new SecureGateError('model_integrity', `${entry.id}: ${file} is damaged`, { details: { model: entry.id, file } });
  const source = await readFile(files.source).catch((cause: unknown) => {
    throw new SecureGateError('model_missing', `${entry.id}: ${files.source} is missing`, { cause, details: { model: entry.id } });
  });
  if (sha256(source) !== record.sourceSha256) throw damaged(files.source);
  if (entry.rewrite !== null && sha256(rewriteGraph(source, entry.rewrite)) !== record.modelSha256) throw damaged(files.model);
}

function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
