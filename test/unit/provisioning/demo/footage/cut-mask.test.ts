import { describe, expect, test } from 'vitest';
import { cutMask } from '../../../../../provisioning/demo/footage/cut-mask.ts';
import { PHOTO_FACES, type PhotoFace } from '../../../../../provisioning/demo/footage/faces.ts';

const PHOTO = { width: 1920, height: 1400 };
const cast = PHOTO_FACES.filter(({ person }) => person !== undefined);

/** Mean opacity of `face`'s cut over the box of `over`, shrunk to its middle three fifths: the features of a face. */
function opacityOver(face: PhotoFace, over: PhotoFace): number {
  let sum = 0;
  for (let row = 0; row < 20; row += 1) {
    for (let column = 0; column < 20; column += 1) {
      const u = 0.2 + (0.6 * (column + 0.5)) / 20;
      const v = 0.2 + (0.6 * (row + 0.5)) / 20;
      sum += cutMask(face, PHOTO, over.box.x + u * over.box.width, over.box.y + v * over.box.height);
    }
  }
  return sum / 400;
}

describe('cutMask', () => {
  test.each(cast)('photograph $photo, $person: the whole face and nobody else', (face) => {
    expect(opacityOver(face, face)).toBeGreaterThan(0.99);
    for (const other of PHOTO_FACES) {
      if (other.photo === face.photo && other !== face) expect(opacityOver(face, other)).toBeLessThan(0.02);
    }
  });

  test('fades out at the edges of the photograph', () => {
    for (const face of cast) {
      const x = face.box.x + face.box.width / 2;
      expect(cutMask(face, PHOTO, x, 0)).toBe(0);
      expect(cutMask(face, PHOTO, x, PHOTO.height)).toBe(0);
    }
  });
});
