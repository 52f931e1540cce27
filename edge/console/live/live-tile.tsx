import { useRef } from 'react';
import { hrefOf } from '../hooks/route.ts';
import { useNow } from '../hooks/use-now.ts';
import { goTo } from '../hooks/use-route.ts';
import { Icon } from '../parts/icon.tsx';
import { StateDot } from '../parts/state-dot.tsx';
import { cameraState } from '../words/camera-state.ts';
import { cameraKey } from './camera-key.ts';
import { InView } from './in-view.tsx';
import { inViewWords } from './in-view-words.ts';
import { LiveCover } from './live-cover.tsx';
import type { TenantCamera } from './tenant-camera.ts';
import { type LiveScreens, useLiveScreen } from './use-live-screen.ts';

/** Without a picture for so long, the tile says so. */
const STALE_MS = 5000;

interface Props extends TenantCamera {
  readonly screens: LiveScreens;
  /** Whether the stream is being opened. */
  readonly opening: boolean;
  /** Whether this camera has the page for itself. */
  readonly alone: boolean;
  /** The venue that the page was narrowed to. */
  readonly filter: string;
}

/** One camera: its picture with boxes and names, its state, and who is in view. */
export function LiveTile({ tenant, camera, screens, opening, alone, filter }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const key = cameraKey(tenant, camera.id);
  const { tracks, drawnAt } = useLiveScreen(screens, key, canvas);
  const now = useNow(1000);
  const { tone, word, reason } = cameraState(camera);
  const fresh = drawnAt !== undefined && now - drawnAt < STALE_MS;
  const title = camera.title || camera.slug;
  const shown = fresh ? inViewWords(tracks) : 'none';
  const other = hrefOf('live', alone ? { tenant: filter } : { tenant: filter, of: tenant, camera: camera.id });
  return (
    <article
      className="tile"
      aria-label={`${title}, ${tenant}`}
      data-key={key}
      onKeyDown={({ key: pressed }) => {
        if (alone && pressed === 'Escape') goTo(other);
      }}
    >
      <header className="tile-head">
        <StateDot tone={tone}>
          <span className={tone === 'good' ? 'unseen' : 'tile-state'}>{word}</span>
        </StateDot>
        <h2 title={title}>{title}</h2>
        <span className="tile-tenant">{tenant}</span>
        <span className="tile-fps" title="Pictures a second: given / wanted">
          {camera.fpsGiven.toFixed(1)}/{camera.fps} fps
        </span>
        <a className="button button-icon" href={other} aria-label={alone ? 'Back to all cameras' : `Show ${title} large`}>
          <Icon name={alone ? 'close' : 'expand'} />
        </a>
      </header>
      <div className="tile-picture">
        <canvas ref={canvas} role="img" aria-label={`Live picture of ${title}: ${shown}`} />
        {!fresh && <LiveCover camera={{ word, reason, tone }} opening={opening} drawnAt={drawnAt} now={now} />}
      </div>
      <footer className="tile-foot">
        <InView tracks={fresh ? tracks : []} tenant={tenant} />
      </footer>
    </article>
  );
}
