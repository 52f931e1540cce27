import type { Size } from '../../inference/fit-image.ts';
import type { Region } from '../../inference/resize.ts';
import type { Box } from '../frame.ts';

/**
 * Room on each side of a face, in its own sides. With it a detector finds the face in the part as it does in the whole picture: the
 * boxes of 126 faces of known places scatter by 0.034 of their height in both.
 */
const ROOM_OF_FACE = 0.5;
/** Room on each side of what changed, in fields: a face seldom changes up to its very edge. */
const ROOM_OF_CHANGE = 0.5;
/** How far hair, shoulders and chest reach beyond a face, in its sides: what changes there is the one whose face it is. */
const FIGURE = { aside: 1, above: 0.6, below: 2 } as const;
/** Share of the picture from which on its parts would cost as much as the whole. */
const MOST = 0.6;

/** A face that is followed from picture to picture. */
export interface ExpectedFace {
  /** Where it should be. */
  readonly box: Box;
  /** It was there in the last picture. */
  readonly seen: boolean;
}

/** In fields from the picture's left upper corner, whole numbers. */
interface Span {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * The parts of a picture in which somebody may be: where faces are expected, and where it changed otherwise than by those whose
 * faces they are. What overlaps is one part, so that none cuts what another one holds.
 *
 * @param fields across and down the picture; parts begin and end with them, or with the picture
 * @returns none where there is nothing to be looked at
 */
export function partsToLookAt(changes: readonly Box[], faces: readonly ExpectedFace[], picture: Size, fields: Size): 'whole' | Region[] {
  const field = { width: picture.width / fields.width, height: picture.height / fields.height };
  const spans: Span[] = [];
  const add = (box: Box, across: number, down: number): void => {
    let span = spanOf(box, across, down, field, fields);
    if (span.left >= span.right || span.top >= span.bottom) return;
    for (let other = spans.findIndex(overlaps(span)); other >= 0; other = spans.findIndex(overlaps(span))) {
      span = around(span, spans.splice(other, 1)[0] as Span);
    }
    spans.push(span);
  };
  for (const { box } of faces) add(box, box.width * ROOM_OF_FACE, box.height * ROOM_OF_FACE);
  const figures = faces.filter(({ seen }) => seen).map(({ box }) => figureOf(box));
  const others = figures.reduce((left, figure) => left.flatMap((change) => beside(change, figure)), [...changes]);
  for (const box of others) add(box, field.width * ROOM_OF_CHANGE, field.height * ROOM_OF_CHANGE);
  const parts = spans.map((span) => regionOf(span, field, picture));
  const area = parts.reduce((sum, { width, height }) => sum + width * height, 0);
  return area > MOST * picture.width * picture.height ? 'whole' : parts;
}

function figureOf({ x, y, width, height }: Box): Box {
  const { aside, above, below } = FIGURE;
  return { x: x - aside * width, y: y - above * height, width: (1 + 2 * aside) * width, height: (1 + above + below) * height };
}

/** What is left of a row of a change to both sides of a figure. */
function beside(change: Box, figure: Box): Box[] {
  const middle = change.y + change.height / 2;
  if (middle < figure.y || middle > figure.y + figure.height) return [change];
  const right = change.x + change.width;
  const left = { ...change, width: Math.min(right, figure.x) - change.x };
  const from = Math.max(change.x, figure.x + figure.width);
  return [left, { ...change, x: from, width: right - from }].filter(({ width }) => width > 0);
}

function spanOf({ x, y, width, height }: Box, across: number, down: number, field: Size, fields: Size): Span {
  return {
    left: Math.max(0, Math.floor((x - across) / field.width)),
    top: Math.max(0, Math.floor((y - down) / field.height)),
    right: Math.min(Math.ceil(fields.width), Math.ceil((x + width + across) / field.width)),
    bottom: Math.min(Math.ceil(fields.height), Math.ceil((y + height + down) / field.height)),
  };
}

function overlaps(a: Span): (b: Span) => boolean {
  return (b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function around(a: Span, b: Span): Span {
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}

function regionOf({ left, top, right, bottom }: Span, field: Size, picture: Size): Region {
  const x = left * field.width;
  const y = top * field.height;
  return { x, y, width: Math.min(picture.width, right * field.width) - x, height: Math.min(picture.height, bottom * field.height) - y };
}
