import { type RefObject, useEffect, useRef, useState } from 'react';
import { boxClock } from '../api/box-clock.ts';
import { useVisible } from '../hooks/use-visible.ts';
import { drawLive } from './draw-live.ts';
import type { LiveTrack } from './live-message.ts';
import { LiveWatch, type WatchState } from './live-watch.ts';

export interface Live {
  readonly state: WatchState;
  /** On the last picture. */
  readonly tracks: readonly LiveTrack[];
  /** When the last picture was drawn, milliseconds since the Unix epoch; undefined before the first. */
  readonly drawnAt: number | undefined;
  readonly retry: () => void;
}

/** Draws a camera's live stream on a canvas for as long as the page can be seen. */
export function useLiveWatch(path: string, canvas: RefObject<HTMLCanvasElement | null>): Live {
  const visible = useVisible();
  const watch = useRef<LiveWatch>(undefined);
  const [state, setState] = useState<WatchState>({ kind: 'connecting' });
  const [seen, setSeen] = useState<{ tracks: readonly LiveTrack[]; drawnAt: number | undefined }>({ tracks: [], drawnAt: undefined });
  useEffect(() => {
    if (!visible) return;
    const current = new LiveWatch(
      path,
      async ({ header, jpeg }) => {
        const picture = await createImageBitmap(new Blob([jpeg], { type: 'image/jpeg' }));
        if (canvas.current !== null) {
          const scale = fitCanvas(canvas.current, header.height / header.width);
          drawLive(canvas.current, picture, header, scale);
        }
        picture.close();
        setSeen({ tracks: header.tracks, drawnAt: boxClock.now() });
      },
      setState,
    );
    watch.current = current;
    current.start();
    return () => current.stop();
  }, [path, canvas, visible]);
  return { state, ...seen, retry: () => watch.current?.start() };
}

/** Gives the canvas as many pixels as it takes on the screen. @returns its pixels a CSS pixel */
function fitCanvas(canvas: HTMLCanvasElement, aspect: number): number {
  const width = Math.max(1, Math.round(canvas.clientWidth * window.devicePixelRatio));
  const height = Math.max(1, Math.round(width * aspect));
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  return window.devicePixelRatio;
}
