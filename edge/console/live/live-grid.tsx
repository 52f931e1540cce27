import { type CSSProperties, useRef, useState } from 'react';
import { type LiveSize, MOST_IN_A_STREAM } from '../../api/schemas/streams.ts';
import { cameras as camerasApi } from '../api/cameras.ts';
import { useSettled } from '../hooks/use-settled.ts';
import { useVisible } from '../hooks/use-visible.ts';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { cameraKey } from './camera-key.ts';
import { LiveTile } from './live-tile.tsx';
import type { TenantCamera } from './tenant-camera.ts';
import { useInView } from './use-in-view.ts';
import type { LiveScreens } from './use-live-screen.ts';
import { useLiveStream } from './use-live-stream.ts';

/** The stream is opened anew only once the page has come to rest: while somebody scrolls, what was seen goes on. */
const SETTLE_MS = 200;
/** Share of the window, in pixels of the screen, from which on a tile gets a large picture. */
const LARGE_FROM = 640;

interface Props {
  readonly cameras: readonly TenantCamera[];
  /** Whether one camera has the page for itself. */
  readonly alone: boolean;
  /** The venue that the page was narrowed to. */
  readonly filter: string;
}

/** The cameras beside each other. Those on the screen are watched over one connection, the others not at all. */
export function LiveGrid({ cameras, alone, filter }: Props) {
  const grid = useRef<HTMLDivElement>(null);
  const [screens] = useState<LiveScreens>(() => new Map());
  const visible = useVisible();
  const keys = cameras.map(({ tenant, camera }) => cameraKey(tenant, camera.id));
  const inView = useInView(grid, keys.join(' '));
  const watched = visible ? keys.filter((key) => inView.has(key)).slice(0, MOST_IN_A_STREAM) : [];
  const columns = Math.ceil(Math.sqrt(cameras.length));
  const size: LiveSize = (window.innerWidth * window.devicePixelRatio) / columns > LARGE_FROM ? 'large' : 'small';
  const path = useSettled(watched.length === 0 ? undefined : camerasApi.livePath(watched, size), SETTLE_MS);
  const { state, retry } = useLiveStream(path, screens);
  return (
    <div className="live-tiles">
      {state.kind === 'away' && <ProblemNotice problem={state.problem} onRetry={retry} />}
      <div ref={grid} className="tiles" style={{ '--columns': columns } as CSSProperties}>
        {cameras.map(({ tenant, camera }) => (
          <LiveTile
            key={cameraKey(tenant, camera.id)}
            tenant={tenant}
            camera={camera}
            screens={screens}
            opening={state.kind === 'connecting'}
            alone={alone}
            filter={filter}
          />
        ))}
      </div>
    </div>
  );
}
