import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadModel } from '../../edge/inference/load-model.ts';
import type { ModelSession } from '../../edge/inference/model-session.ts';
import { rewriteGraph } from '../../models/convert/rewrite-graph.ts';
import { findModel } from '../../models/registry/find-model.ts';
import { type InstalledRecord, installedFiles } from '../../models/registry/installed-files.ts';
import { loadManifest } from '../../models/registry/load-manifest.ts';
import { projectRoot } from '../../models/registry/project-root.ts';
import { tempFolder } from './temp-folder.ts';

/** SCRFD with key points whose licence lets only tests use it: same head as the manifest's larger one. */
const FILE = join(process.env.SECUREGATE_TEST_MODELS ?? join(projectRoot(), '..', 'shared', 'models'), 'scrfd_2.5g_bnkps.onnx');

export const scrfdMissing = !existsSync(FILE);

const entry = () => findModel(loadManifest(), 'scrfd-10g-bnkps');

/** The test's SCRFD under the manifest's contract for SCRFD, with a dynamic batch dimension. Call inside a test. */
export async function openScrfd(): Promise<ModelSession> {
  const path = join(await tempFolder(), 'scrfd.onnx');
  await writeFile(path, rewriteGraph(await readFile(FILE), 'scrfd-batch'));
  return loadModel({ entry: entry(), path, provider: 'cpu' });
}

/** Puts the test's SCRFD into a models folder in the place of the manifest's larger one, which nobody may hand out, as an import of that would. */
export async function installScrfd(store: string, accepted: Partial<InstalledRecord> = {}): Promise<void> {
  const files = installedFiles(store, entry());
  const source = await readFile(FILE);
  const model = rewriteGraph(source, 'scrfd-batch');
  const record: InstalledRecord = {
    sourceSha256: entry().sha256 ?? '',
    modelSha256: createHash('sha256').update(model).digest('hex'),
    acceptedLicence: entry().licence.name,
    ...accepted,
  };
  await mkdir(files.folder, { recursive: true });
  await writeFile(files.source, source);
  await writeFile(files.model, model);
  await writeFile(files.record, JSON.stringify(record));
}
