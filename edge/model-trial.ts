import { setPriority } from 'node:os';
import { checkInstalled } from '../models/registry/check-installed.ts';
import { findSet, membersOf } from '../models/registry/find-set.ts';
import { pullModels } from '../models/registry/pull-models.ts';
import { resolveRegistry } from '../models/registry/registry-options.ts';
import { requireLicence } from '../models/registry/require-licence.ts';
import { SecureGateError } from '../shared/errors/securegate-error.ts';
import { createLogger } from '../shared/log/create-logger.ts';
import type { TrialReply, TrialRequest } from './box/try-models.ts';
import { openStages } from './open-stages.ts';
import { warmUp } from './warm-up.ts';

/** Behind the cameras, but not so far that a box whose cores are all busy never gets there: a tenth of one that two want. */
const NICE = 10;

/**
 * Sees in a process of its own whether this box can work by a model set: what is missing is fetched, the models are loaded and look at a
 * picture. A file that brings ONNX Runtime down brings nothing else down, and all of it comes after the cameras' work.
 */
async function tryOut({ set, modelsDir, provider }: TrialRequest): Promise<void> {
  await bring(set, modelsDir);
  const config = { models: { set }, inference: { provider, workers: 1 }, ...(modelsDir === undefined ? {} : { modelsDir }) };
  const models = await openStages(config, createLogger('model-trial'));
  try {
    await warmUp(models);
  } finally {
    await models.stages.stop();
  }
}

/** Nobody is here who could accept a licence: what is fetched needs none, and what is installed somebody has accepted on this box. */
async function bring(set: string, modelsDir: string | undefined): Promise<void> {
  try {
    await check(set, modelsDir);
  } catch (error) {
    const { code } = SecureGateError.from(error);
    if (code !== 'model_missing' && code !== 'model_integrity') throw error;
    await pullModels({ set, store: modelsDir });
    await check(set, modelsDir);
  }
}

async function check(set: string, modelsDir: string | undefined): Promise<void> {
  const { store, manifest } = resolveRegistry({ store: modelsDir });
  for (const entry of membersOf(findSet(manifest, set))) {
    const { record } = await checkInstalled(entry, store);
    requireLicence(entry, record.acceptedLicence === entry.licence.name);
  }
}

// Before there is any other thread: they take it over.
setPriority(NICE);
process.once('disconnect', () => process.exit());
process.once('message', (request: TrialRequest) => {
  void tryOut(request)
    .then(
      (): TrialReply => ({ error: null }),
      (error: unknown): TrialReply => ({ error: SecureGateError.from(error, 'inference_failed').toJSON() }),
    )
    .then((reply) => process.send?.(reply, () => process.disconnect()));
});
