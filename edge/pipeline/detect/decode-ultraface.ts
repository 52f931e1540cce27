import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Size } from '../../inference/fit-image.ts';
import type { OutputTensor } from '../../inference/model-session.ts';
import type { Detection } from '../frame.ts';

/**
 * Faces in one picture of a batch, as UltraFace (github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB)
 * gives them: scores [n, anchors, 2] (background, face; already probabilities) and boxes [n, anchors, 4]
 * (left, top, right, bottom; share of the input's size, anchors already applied).
 *
 * @returns boxes in pixels of the model's input, overlapping ones still among them
 * @throws {SecureGateError} `inference_failed` when the outputs are not of this form
 */
export function decodeUltraface(outputs: readonly OutputTensor[], index: number, size: Size, threshold: number): Detection[] {
  const [scores, boxes] = outputs;
  const anchors = scores?.dims[1] ?? 0;
  if (!scores || !boxes || scores.data.length < (index + 1) * anchors * 2 || boxes.data.length < (index + 1) * anchors * 4) {
    throw new SecureGateError('inference_failed', 'UltraFace gave outputs of another form', {
      details: { dims: outputs.map(({ dims }) => dims) },
    });
  }
  const found: Detection[] = [];
  for (let anchor = index * anchors; anchor < (index + 1) * anchors; anchor++) {
    const score = scores.data[anchor * 2 + 1] as number;
    // Written so that NaN is not a face.
    if (!(score >= threshold)) continue;
    const left = (boxes.data[anchor * 4] as number) * size.width;
    const top = (boxes.data[anchor * 4 + 1] as number) * size.height;
    const right = (boxes.data[anchor * 4 + 2] as number) * size.width;
    const bottom = (boxes.data[anchor * 4 + 3] as number) * size.height;
    if (right > left && bottom > top) found.push({ box: { x: left, y: top, width: right - left, height: bottom - top }, score });
  }
  return found;
}
