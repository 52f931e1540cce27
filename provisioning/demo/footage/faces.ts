/**
 * The faces of the six photographs, boxes drawn by hand: forehead to chin, pixels of the photograph.
 * Photographs: `demo/sample1..6.jpg` of npm `@vladmandic/face-api`.
 */
export interface PhotoFace {
  /** Number of the photograph, 1..6. */
  readonly photo: number;
  readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  /** Who this is. The same person is in photographs 1 and 3. */
  readonly person: PersonId | undefined;
}

/** People who play a part. A name here is a part's, never one that is enrolled. */
export const PEOPLE = [
  'doll',
  'medic',
  'curls',
  'waves',
  'choker',
  'blonde',
  'stairs',
  'laugh',
  'necklace',
  'navy',
  'coral',
  'olive',
  'wine',
  'stripes',
  'green',
] as const;
export type PersonId = (typeof PEOPLE)[number];

function face(photo: number, x: number, y: number, width: number, height: number, person?: PersonId): PhotoFace {
  return { photo, box: { x, y, width, height }, person };
}

/** Faces without a person play no part: turned or looking away too far, or too alike to another one to be sure. */
export const PHOTO_FACES: readonly PhotoFace[] = [
  face(1, 416, 356, 185, 240, 'doll'),
  face(1, 826, 437, 207, 218),
  face(1, 1464, 212, 227, 221, 'medic'),
  face(2, 364, 137, 167, 283),
  face(2, 899, 240, 180, 220),
  face(2, 1438, 162, 211, 229),
  face(3, 591, 326, 205, 275, 'curls'),
  face(3, 1074, 196, 222, 312, 'medic'),
  face(3, 1479, 290, 211, 291),
  face(4, 254, 196, 170, 240, 'waves'),
  face(4, 651, 62, 193, 240, 'choker'),
  face(4, 986, 181, 178, 234),
  face(4, 1271, 149, 161, 240, 'blonde'),
  face(5, 371, 864, 203, 308, 'stairs'),
  face(5, 600, 419, 170, 258, 'laugh'),
  face(5, 781, 114, 169, 217, 'necklace'),
  face(5, 1112, 202, 174, 236, 'navy'),
  face(5, 1410, 390, 195, 285, 'coral'),
  face(6, 254, 481, 214, 277, 'olive'),
  face(6, 670, 318, 198, 317, 'wine'),
  face(6, 1176, 299, 195, 283, 'stripes'),
  face(6, 1482, 252, 217, 303, 'green'),
];
