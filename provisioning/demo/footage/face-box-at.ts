import { PHOTO_FACES, type PhotoFace } from './faces.ts';
import type { Appearance } from './script.ts';

export interface FaceBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The face that an appearance is shown from. */
export function shownFace(appearance: Appearance): PhotoFace {
  const face = PHOTO_FACES.find(({ photo, person }) => photo === appearance.photo && person === appearance.person);
  if (face === undefined) throw new Error(`${appearance.person} is not in photograph ${appearance.photo}`);
  return face;
}

/** Where the face of an appearance is at `ms`, pixels of the frame; undefined before and after the appearance. */
export function faceBoxAt(appearance: Appearance, ms: number): FaceBox | undefined {
  const { keyFrames } = appearance;
  for (let index = 1; index < keyFrames.length; index += 1) {
    const from = keyFrames[index - 1];
    const to = keyFrames[index];
    if (from === undefined || to === undefined || ms < from.atMs || ms > to.atMs) continue;
    const share = (ms - from.atMs) / (to.atMs - from.atMs);
    const between = (a: number, b: number): number => a + (b - a) * share;
    const { box } = shownFace(appearance);
    const height = between(from.height, to.height);
    const width = (height * box.width) / box.height;
    return { x: between(from.x, to.x) - width / 2, y: between(from.y, to.y) - height / 2, width, height };
  }
  return undefined;
}
