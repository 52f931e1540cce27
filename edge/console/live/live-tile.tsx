import { useRef } from 'react';
import { cameras } from '../api/cameras.ts';
import { hrefOf } from '../hooks/route.ts';
import { useNow } from '../hooks/use-now.ts';
import { Icon } from '../parts/icon.tsx';
import { StateDot } from '../parts/state-dot.tsx';
import { cameraState } from '../words/camera-state.ts';
import { InView } from './in-view.tsx';
import { LiveCover } from './live-cover.tsx';
import type { TenantCamera } from './tenant-camera.ts';
import { useLiveWatch } from './use-live-watch.ts';

/** Without a picture for so long, the tile says so. */
const STALE_MS = 5000;

interface Props extends TenantCamera {
  /** Whether this camera has the page for itself. */
  readonly alone: boolean;
  /** The venue that the page was narrowed to. */
  readonly filter: string;
}

/** One camera: its picture with boxes and names, its state, and who is in view. */
export function LiveTile({ tenant, camera, alone, filter }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { state, tracks, drawnAt, retry } = useLiveWatch(cameras.livePath(tenant, camera.id), canvas);
  const now = useNow(1000);
  const { tone, word, reason } = cameraState(camera);
  const fresh = drawnAt !== undefined && now - drawnAt < STALE_MS;
  const title = camera.title || camera.slug;
  return (
    <article className="tile" aria-label={`${title}, ${tenant}`}>
      <header className="tile-head">
        <StateDot tone={tone}>
          <span className={tone === 'good' ? 'unseen' : undefined}>{word}</span>
        </StateDot>
        <h2>{title}</h2>
        <span className="tile-tenant">{tenant}</span>
        <span className="tile-fps" title="Pictures a second: given / wanted">
          {camera.fpsGiven.toFixed(1)}/{camera.fps} fps
        </span>
        <a
          className="button button-icon"
          href={hrefOf('live', alone ? { tenant: filter } : { tenant: filter, of: tenant, camera: camera.id })}
          aria-label={alone ? 'Back to all cameras' : `Show ${title} large`}
        >
          <Icon name={alone ? 'close' : 'expand'} />
        </a>
      </header>
      <div className="tile-picture">
        <canvas ref={canvas} role="img" aria-label={`Live picture of ${title}`} />
        {!fresh && <LiveCover camera={{ word, reason, tone }} watch={state} drawnAt={drawnAt} now={now} onRetry={retry} />}
      </div>
      <footer className="tile-foot">
        <InView tracks={fresh ? tracks : []} tenant={tenant} />
      </footer>
    </article>
  );
}
