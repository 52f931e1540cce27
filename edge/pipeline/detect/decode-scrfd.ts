import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Size } from '../../inference/fit-image.ts';
import type { OutputTensor } from '../../inference/model-session.ts';
import type { Detection, Point } from '../frame.ts';

const STRIDES = [8, 16, 32] as const;
const ANCHORS_PER_CELL = 2;

/**
 * Faces in one picture of a batch, as SCRFD with key points (arXiv:2105.04714, InsightFace) gives them. Nine outputs,
 * told apart by position since their names differ from file to file: score, then box, then points, each for strides
 * 8, 16 and 32. Rows run over the cells of the picture, two anchors a cell; distances are in strides from the cell's
 * corner (left, top, right, bottom; then five points x, y). Scores are already probabilities.
 *
 * @param size width and height of the input that was run, multiples of 32
 * @returns boxes and points in pixels of the model's input, overlapping ones still among them
 * @throws {SecureGateError} `inference_failed` when the outputs are not of this form
 */
export function decodeScrfd(outputs: readonly OutputTensor[], index: number, size: Size, threshold: number): Detection[] {
  const found: Detection[] = [];
  for (const [level, stride] of STRIDES.entries()) {
    const columns = Math.ceil(size.width / stride);
    const rows = columns * Math.ceil(size.height / stride) * ANCHORS_PER_CELL;
    const scores = part(outputs, level, rows, 1, index);
    const boxes = part(outputs, level + 3, rows, 4, index);
    const points = part(outputs, level + 6, rows, 10, index);
    for (let row = 0; row < rows; row++) {
      const score = scores[row] as number;
      if (!(score >= threshold)) continue;
      const cell = Math.floor(row / ANCHORS_PER_CELL);
      const x = (cell % columns) * stride;
      const y = Math.floor(cell / columns) * stride;
      const side = (edge: number): number => (boxes[row * 4 + edge] as number) * stride;
      const point = (k: number): Point => ({
        x: x + (points[row * 10 + k * 2] as number) * stride,
        y: y + (points[row * 10 + k * 2 + 1] as number) * stride,
      });
      found.push({
        box: { x: x - side(0), y: y - side(1), width: side(0) + side(2), height: side(1) + side(3) },
        score,
        points: [point(0), point(1), point(2), point(3), point(4)],
      });
    }
  }
  return found;
}

/** The rows of picture `index` in output number `position`. */
function part(outputs: readonly OutputTensor[], position: number, rows: number, width: number, index: number): Float32Array {
  const length = rows * width;
  const output = outputs[position];
  if (!output || output.dims.at(-1) !== width || output.data.length % length !== 0 || output.data.length < (index + 1) * length) {
    throw new SecureGateError('inference_failed', 'SCRFD gave outputs of another form', {
      details: { position, dims: output?.dims ?? null },
    });
  }
  return output.data.subarray(index * length, (index + 1) * length);
}
