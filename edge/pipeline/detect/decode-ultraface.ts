import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Size } from '../../inference/fit-image.ts';
import type { OutputTensor } from '../../inference/model-session.ts';
import type { Region } from '../../inference/resize.ts';
import type { Box, Detection } from '../frame.ts';

/** Pixels of the input that a cell of each of the four levels stands for, and the sides of the faces that it looks for. */
const LEVELS = [
  { stride: 8, sides: [10, 16, 24] },
  { stride: 16, sides: [32, 48] },
  { stride: 32, sides: [64, 96] },
  { stride: 64, sides: [128, 192, 256] },
] as const;
/** In which the network tells how far a face lies from its anchor, and how much larger it is. */
const PLACE_UNIT = 0.1;
const SIZE_UNIT = 0.2;

/**
 * Faces in one picture of a batch, as UltraFace (github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB)
 * gives them: scores [n, anchors, 2] (background, face; already probabilities) and boxes [n, anchors, 4] (centre and size, as
 * off from the anchor's). Anchors run over the levels, the rows and columns of their cells, and the sides.
 *
 * @param part what was run of the model's nominal input; its corner a multiple of 32 pixels, so that its cells are the whole's
 * @param whole the model's nominal input
 * @returns boxes in pixels of the part, overlapping ones still among them
 * @throws {SecureGateError} `inference_failed` when the outputs are not of this form
 */
export function decodeUltraface(
  outputs: readonly OutputTensor[],
  index: number,
  part: Region,
  threshold: number,
  whole: Size,
): Detection[] {
  const [scores, boxes] = outputs;
  const anchors = LEVELS.reduce(
    (sum, { stride, sides }) => sum + Math.ceil(part.width / stride) * Math.ceil(part.height / stride) * sides.length,
    0,
  );
  if (
    scores?.dims[1] !== anchors ||
    scores.data.length < (index + 1) * anchors * 2 ||
    (boxes?.data.length ?? 0) < (index + 1) * anchors * 4
  ) {
    throw new SecureGateError('inference_failed', 'UltraFace gave outputs of another form', {
      details: { dims: outputs.map(({ dims }) => dims) },
    });
  }
  const found: Detection[] = [];
  let anchor = index * anchors;
  for (const { stride, sides } of LEVELS) {
    const columns = Math.ceil(part.width / stride);
    const rows = Math.ceil(part.height / stride);
    for (let cell = 0; cell < columns * rows; cell++) {
      for (const side of sides) {
        const score = scores.data[anchor * 2 + 1] as number;
        // Written so that NaN is not a face.
        if (score >= threshold) {
          const place = anchorOf(stride, side, part.x / stride + (cell % columns), part.y / stride + Math.floor(cell / columns), whole);
          found.push({ box: boxOf(place, boxes?.data.subarray(anchor * 4, anchor * 4 + 4) as Float32Array, part), score });
        }
        anchor++;
      }
    }
  }
  return found.filter(({ box }) => box.width > 0 && box.height > 0);
}

interface Anchor {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The middle and the size of an anchor, as UltraFace was trained with them: its cells are spread evenly over the whole input, also
 * where that is no multiple of the stride and the last of them reach over its edge; and no anchor leaves the input. The network
 * has learned that, and tells it in a part of the input as in the whole: boxes read with the strides for steps scatter by 0.049 of
 * a face's height instead of 0.034 (126 faces of known places).
 */
function anchorOf(stride: number, side: number, column: number, row: number, { width, height }: Size): Anchor {
  const across = width / Math.ceil(width / stride);
  const down = height / Math.ceil(height / stride);
  return {
    x: Math.min(width, (column + 0.5) * across),
    y: Math.min(height, (row + 0.5) * down),
    width: Math.min(width, side),
    height: Math.min(height, side),
  };
}

function boxOf(anchor: Anchor, [x = 0, y = 0, wider = 0, higher = 0]: Float32Array, part: Region): Box {
  const width = anchor.width * Math.exp(wider * SIZE_UNIT);
  const height = anchor.height * Math.exp(higher * SIZE_UNIT);
  return {
    x: anchor.x + x * PLACE_UNIT * anchor.width - width / 2 - part.x,
    y: anchor.y + y * PLACE_UNIT * anchor.height - height / 2 - part.y,
    width,
    height,
  };
}
