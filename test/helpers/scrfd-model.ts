import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadModel } from '../../edge/inference/load-model.ts';
import type { ModelSession } from '../../edge/inference/model-session.ts';
import { rewriteGraph } from '../../models/convert/rewrite-graph.ts';
import { findModel } from '../../models/registry/find-model.ts';
import { loadManifest } from '../../models/registry/load-manifest.ts';
import { projectRoot } from '../../models/registry/project-root.ts';
import { tempFolder } from './temp-folder.ts';

/** SCRFD with key points whose licence lets only tests use it: same head as the manifest's larger one. */
const FILE = join(process.env.SECUREGATE_TEST_MODELS ?? join(projectRoot(), '..', 'shared', 'models'), 'scrfd_2.5g_bnkps.onnx');

export const scrfdMissing = !existsSync(FILE);

/** The test's SCRFD under the manifest's contract for SCRFD, with a dynamic batch dimension. Call inside a test. */
export async function openScrfd(): Promise<ModelSession> {
  const entry = findModel(await loadManifest(), 'scrfd-10g-bnkps');
  const path = join(await tempFolder(), 'scrfd.onnx');
  await writeFile(path, rewriteGraph(await readFile(FILE), 'scrfd-batch'));
  return loadModel({ entry, path, provider: 'cpu' });
}
