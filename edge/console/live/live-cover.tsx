import { Icon } from '../parts/icon.tsx';
import type { Tone } from '../words/camera-state.ts';
import { formatDuration } from '../words/time.ts';
import type { WatchState } from './live-watch.ts';

interface Props {
  readonly camera: { readonly word: string; readonly reason: string | null; readonly tone: Tone };
  readonly watch: WatchState;
  readonly drawnAt: number | undefined;
  readonly now: number;
  readonly onRetry: () => void;
}

/** Lies over a tile that has no fresh picture: says who is away, the camera or the box, and what happens next. */
export function LiveCover({ camera, watch, drawnAt, now, onRetry }: Props) {
  const since = drawnAt === undefined ? null : `Last picture ${formatDuration(now - drawnAt)} ago`;
  if (watch.kind === 'away') {
    const seconds = Math.max(0, Math.ceil((watch.retryAt - now) / 1000));
    return (
      <div className="cover">
        <Icon name="alert" />
        <strong>{watch.problem.title}</strong>
        <p>{watch.problem.detail}</p>
        <p className="cover-since">{[since, seconds > 0 ? `next try in ${seconds} s` : 'trying again'].filter(Boolean).join(' · ')}</p>
        <button type="button" className="button" onClick={onRetry}>
          Try now
        </button>
      </div>
    );
  }
  if (camera.tone !== 'good') {
    return (
      <div className="cover">
        <Icon name={camera.tone === 'wait' ? 'live' : 'alert'} />
        <strong>{camera.tone === 'wait' ? 'Connecting to the camera' : `Camera ${camera.word.toLowerCase()}`}</strong>
        {camera.reason !== null && <p>{camera.reason}</p>}
        <p className="cover-since">{[since, camera.tone === 'bad' ? 'the box keeps trying' : null].filter(Boolean).join(' · ')}</p>
      </div>
    );
  }
  return (
    <div className="cover cover-quiet">
      <strong>{watch.kind === 'connecting' ? 'Opening…' : 'Waiting for a picture'}</strong>
      {since !== null && <p className="cover-since">{since}</p>}
    </div>
  );
}
