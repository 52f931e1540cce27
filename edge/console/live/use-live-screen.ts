import { type RefObject, useEffect, useState } from 'react';
import { boxClock } from '../api/box-clock.ts';
import type { LiveTrack } from './live-message.ts';
import { LiveScreen } from './live-screen.ts';

/** The screens that pictures can be shown on, by the key of their camera. */
export type LiveScreens = Map<string, LiveScreen>;

export interface LivePicture {
  /** On the last picture. */
  readonly tracks: readonly LiveTrack[];
  /** When the last picture was drawn, milliseconds since the Unix epoch; undefined before the first. */
  readonly drawnAt: number | undefined;
}

/** Makes a canvas the screen of a camera for as long as the component stands. */
export function useLiveScreen(screens: LiveScreens, key: string, canvas: RefObject<HTMLCanvasElement | null>): LivePicture {
  const [picture, setPicture] = useState<LivePicture>({ tracks: [], drawnAt: undefined });
  useEffect(() => {
    if (canvas.current === null) return;
    screens.set(key, new LiveScreen(canvas.current, ({ tracks }) => setPicture({ tracks, drawnAt: boxClock.now() })));
    return () => void screens.delete(key);
  }, [screens, key, canvas]);
  return picture;
}
