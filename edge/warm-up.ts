import { SecureGateError } from '../shared/errors/securegate-error.ts';
import type { OpenStages } from './open-stages.ts';
import type { Box } from './pipeline/frame.ts';
import { wipe } from './pipeline/sighting/dossier.ts';

/** A picture of nobody, of the size that cameras often have. */
const PICTURE = { width: 1280, height: 720 };
/** Where a face could be in it. */
const BOX: Box = { x: 560, y: 260, width: 160, height: 200 };

/**
 * Has every thread do once what it does for a camera. The first time takes longest: an accelerator prepares itself then. And models
 * that load but do not work are found before anybody depends on them.
 * @throws {SecureGateError} `inference_failed`
 */
export async function warmUp(models: OpenStages): Promise<void> {
  await Promise.all(Array.from({ length: models.threads }, () => lookOnce(models)));
}

async function lookOnce({ stages, reducedSize, models: { embedder } }: OpenStages): Promise<void> {
  const picture = { ...PICTURE, data: grey(PICTURE), reduced: { ...reducedSize(PICTURE), data: grey(reducedSize(PICTURE)) } };
  await stages.detect(picture);
  const [shot] = await stages.analyse(picture, [{ box: BOX, score: 1 }], 'recognise');
  if (shot === undefined) throw new SecureGateError('inference_failed', 'A face was not looked at');
  const embedding = await stages.embed(shot.aligned);
  wipe(shot);
  const length = Math.hypot(...embedding);
  if (Math.abs(length - 1) < 0.01) return;
  throw new SecureGateError('inference_failed', `${embedder}: an embedding is ${length} long instead of 1`, {
    details: { model: embedder },
  });
}

/** Shared, as the pixels of a camera are. */
function grey({ width, height }: { readonly width: number; readonly height: number }): Buffer {
  return Buffer.from(new SharedArrayBuffer(width * height * 3)).fill(128);
}
