import type { Size } from '../../inference/fit-image.ts';
import type { ModelSession } from '../../inference/model-session.ts';

/**
 * Sides of the fields that UltraFace's input is made of: the stride of its coarsest cells but one, so that those of a part are those
 * of the whole. The coarsest lie between them at times: they are for faces of half the picture's height, which no small part holds.
 */
const ULTRAFACE_FIELD = 32;

/**
 * Fields across and down a picture, of which parts are made that a detector can look at alone: fractions where the last ones are cut.
 * Undefined for one that takes the whole of every picture.
 */
export function fieldsOf({ input, output }: Pick<ModelSession['model'], 'input' | 'output'>): Size | undefined {
  if (output.decoder !== 'ultraface') return undefined;
  return { width: input.width / ULTRAFACE_FIELD, height: input.height / ULTRAFACE_FIELD };
}
