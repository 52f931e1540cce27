import { useEffect, useRef, useState } from 'react';
import { cameraKey } from './camera-key.ts';
import { LiveWatch, type WatchState } from './live-watch.ts';
import type { LiveScreens } from './use-live-screen.ts';

/**
 * Shows a live stream on the screens of its cameras.
 * @param path undefined where there is nothing to be watched
 */
export function useLiveStream(path: string | undefined, screens: LiveScreens): { readonly state: WatchState; readonly retry: () => void } {
  const watch = useRef<LiveWatch>(undefined);
  const [state, setState] = useState<WatchState>({ kind: 'connecting' });
  useEffect(() => {
    if (path === undefined) return;
    const current = new LiveWatch(
      path,
      (message) => {
        const { tenant, camera } = message.header;
        // A picture that cannot be decoded is left out: the tile says by itself when none comes any more.
        screens
          .get(cameraKey(tenant, camera))
          ?.show(message)
          .catch(() => undefined);
      },
      setState,
    );
    watch.current = current;
    current.start();
    return () => current.stop();
  }, [path, screens]);
  return { state, retry: () => watch.current?.start() };
}
