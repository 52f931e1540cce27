import type { Camera, CameraPatch, CameraSettings } from '../api/types.ts';

/** The fields of the form as they are typed. */
export interface CameraDraft {
  readonly slug: string;
  readonly title: string;
  readonly url: string;
  readonly fps: string;
  /** `1x1` is the whole picture. */
  readonly tiles: string;
  /** Empty for none. */
  readonly roomId: string;
}

const OVERLAP = 0.2;

export const TILES = ['1x1', '2x1', '2x2', '3x2', '4x2', '4x3'] as const;

export function draftOf(camera: Camera | undefined): CameraDraft {
  if (camera === undefined) return { slug: '', title: '', url: '', fps: '5', tiles: '1x1', roomId: '' };
  const { slug, title, fps, tiles, roomId } = camera;
  // The address may hold credentials and is never read back: an empty field leaves it as it is.
  return {
    slug,
    title: title ?? '',
    url: '',
    fps: String(fps),
    tiles: tiles === null ? '1x1' : `${tiles.columns}x${tiles.rows}`,
    roomId: roomId ?? '',
  };
}

/** A new camera as the box takes it. */
export function settingsOf(draft: CameraDraft): CameraSettings {
  const title = draft.title.trim();
  const tiles = tilesOf(draft.tiles, OVERLAP);
  return {
    slug: draft.slug.trim(),
    url: draft.url.trim(),
    fps: Number(draft.fps),
    ...(title === '' ? {} : { title }),
    ...(tiles === null ? {} : { tiles }),
    ...(draft.roomId === '' ? {} : { roomId: draft.roomId }),
  };
}

/** What the draft changes of a camera. */
export function changesOf(draft: CameraDraft, camera: Camera): CameraPatch {
  const before = draftOf(camera);
  const title = draft.title.trim();
  const url = draft.url.trim();
  return {
    ...(title === before.title ? {} : { title }),
    ...(url === '' ? {} : { url }),
    ...(Number(draft.fps) === camera.fps ? {} : { fps: Number(draft.fps) }),
    ...(draft.tiles === before.tiles ? {} : { tiles: tilesOf(draft.tiles, camera.tiles?.overlap ?? OVERLAP) }),
    ...(draft.roomId === before.roomId ? {} : { roomId: draft.roomId === '' ? null : draft.roomId }),
  };
}

function tilesOf(text: string, overlap: number): { columns: number; rows: number; overlap: number } | null {
  const [columns = 1, rows = 1] = text.split('x').map(Number);
  return columns * rows === 1 ? null : { columns, rows, overlap };
}
