import type { PersonId } from './faces.ts';

export const FRAME = { width: 1280, height: 720, fps: 25 } as const;
export const DURATION_MS = 32_000;

export const TENANTS = ['harbour-hall', 'north-arena'] as const;
export type TenantId = (typeof TENANTS)[number];

/** Where a face is at one moment: its centre and height, pixels of the frame. Between two key frames it moves evenly. */
export interface KeyFrame {
  readonly atMs: number;
  readonly x: number;
  readonly y: number;
  readonly height: number;
}

/** One person in front of one camera, from the first to the last key frame. */
export interface Appearance {
  readonly camera: string;
  readonly person: PersonId;
  readonly fromMs: number;
  readonly toMs: number;
  /** Photograph that this person is shown from; guests are enrolled from other pictures. */
  readonly photo: number;
  readonly keyFrames: readonly KeyFrame[];
  /** Share of the photograph's brightness. */
  readonly brightness: number;
  /** Standard deviation of the blur, pixels of the frame. */
  readonly blur: number;
}

export interface DemoCamera {
  readonly id: string;
  readonly tenant: TenantId;
  /** Hue of the room, degrees. */
  readonly hue: number;
}

export const CAMERAS: readonly DemoCamera[] = [
  { id: 'harbour-door', tenant: 'harbour-hall', hue: 215 },
  { id: 'harbour-bar', tenant: 'harbour-hall', hue: 28 },
  { id: 'arena-gate', tenant: 'north-arena', hue: 150 },
  { id: 'arena-foyer', tenant: 'north-arena', hue: 275 },
];

/** The tenant whose camera this is. @throws {RangeError} for a camera that is not in the script */
export function tenantOf(camera: string): TenantId {
  const found = CAMERAS.find(({ id }) => id === camera);
  if (found === undefined) throw new RangeError(`No camera ${camera}`);
  return found.tenant;
}

/** Who is a guest of which tenant. Everybody else is a stranger to it, also where the other tenant knows them. */
export const GUESTS: Readonly<Record<TenantId, readonly PersonId[]>> = {
  'harbour-hall': ['doll', 'medic', 'curls', 'waves', 'olive'],
  'north-arena': ['choker', 'blonde', 'necklace', 'navy', 'coral', 'wine', 'green'],
};

type Side = 'left' | 'right';

/** A visit on one side of the picture: in from the edge, nearer to the camera, out again. */
function visit(
  camera: string,
  person: PersonId,
  photo: number,
  side: Side,
  fromS: number,
  toS: number,
  look: Partial<Appearance> = {},
): Appearance {
  const fromMs = fromS * 1000;
  const toMs = toS * 1000;
  const edge = side === 'left' ? -120 : FRAME.width + 120;
  const inside = side === 'left' ? 300 : FRAME.width - 300;
  const nearest = side === 'left' ? 390 : FRAME.width - 390;
  const keyFrames = [
    { atMs: fromMs, x: edge, y: 280, height: 150 },
    { atMs: fromMs + 1600, x: inside, y: 290, height: 170 },
    { atMs: (fromMs + toMs) / 2 + 400, x: nearest, y: 320, height: 225 },
    { atMs: toMs - 1600, x: inside + 20, y: 300, height: 190 },
    { atMs: toMs, x: edge, y: 285, height: 160 },
  ];
  return { camera, person, photo, fromMs, toMs, keyFrames, brightness: 1, blur: 0, ...look };
}

/** A walk across the whole picture. */
function walk(
  camera: string,
  person: PersonId,
  photo: number,
  from: Side,
  fromS: number,
  toS: number,
  y: number,
  height: number,
): Appearance {
  const fromMs = fromS * 1000;
  const toMs = toS * 1000;
  const [begin, end] = from === 'left' ? [-120, FRAME.width + 120] : [FRAME.width + 120, -120];
  const keyFrames = [
    { atMs: fromMs, x: begin, y, height },
    { atMs: toMs, x: end, y: y + 15, height: height + 10 },
  ];
  return { camera, person, photo, fromMs, toMs, keyFrames, brightness: 1, blur: 0 };
}

/** What happens in front of the cameras. The daemon never sees this. */
export const APPEARANCES: readonly Appearance[] = [
  visit('harbour-door', 'doll', 1, 'left', 0.5, 7.5),
  visit('harbour-door', 'blonde', 4, 'right', 3.5, 10.5),
  visit('harbour-door', 'medic', 1, 'left', 9, 16, { brightness: 0.8 }),
  visit('harbour-door', 'waves', 4, 'right', 12, 19, { blur: 0.8 }),
  visit('harbour-door', 'curls', 3, 'left', 17.5, 24.5),
  visit('harbour-door', 'olive', 6, 'right', 21, 28, { brightness: 0.7 }),
  visit('harbour-door', 'stripes', 6, 'left', 25.5, 31.8),

  visit('harbour-bar', 'curls', 3, 'left', 0.5, 7.5, { brightness: 0.9 }),
  visit('harbour-bar', 'medic', 3, 'right', 4, 11, { brightness: 0.7 }),
  visit('harbour-bar', 'stairs', 5, 'left', 9, 16),
  visit('harbour-bar', 'wine', 6, 'right', 12.5, 19.5, { blur: 1 }),
  visit('harbour-bar', 'olive', 6, 'left', 17.5, 24.5, { brightness: 0.6 }),
  visit('harbour-bar', 'waves', 4, 'right', 21, 28),
  visit('harbour-bar', 'doll', 1, 'left', 25.5, 31.8, { blur: 0.8 }),

  visit('arena-gate', 'choker', 4, 'left', 0.5, 7.5),
  visit('arena-gate', 'necklace', 5, 'right', 3.5, 10.5),
  visit('arena-gate', 'doll', 1, 'left', 9, 16),
  visit('arena-gate', 'navy', 5, 'right', 12, 19, { brightness: 0.7 }),
  visit('arena-gate', 'blonde', 4, 'left', 17.5, 24.5, { blur: 1 }),
  visit('arena-gate', 'green', 6, 'right', 21, 28, { brightness: 0.6 }),
  visit('arena-gate', 'laugh', 5, 'left', 25.5, 31.8),

  visit('arena-foyer', 'green', 6, 'left', 0.5, 7.5),
  visit('arena-foyer', 'waves', 4, 'right', 2, 9),
  walk('arena-foyer', 'wine', 6, 'left', 9, 17, 260, 170),
  walk('arena-foyer', 'coral', 5, 'right', 9.4, 17.4, 330, 205),
  visit('arena-foyer', 'choker', 4, 'left', 18, 25, { brightness: 0.75, blur: 0.6 }),
  visit('arena-foyer', 'curls', 3, 'right', 20, 27),
  visit('arena-foyer', 'necklace', 5, 'left', 25.5, 31.8),
];
