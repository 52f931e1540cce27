import { Icon } from '../parts/icon.tsx';
import type { Tone } from '../words/camera-state.ts';
import { formatDuration } from '../words/time.ts';

interface Props {
  readonly camera: { readonly word: string; readonly reason: string | null; readonly tone: Tone };
  /** Whether the stream is being opened. */
  readonly opening: boolean;
  readonly drawnAt: number | undefined;
  readonly now: number;
}

/** Lies over a tile that has no fresh picture: says whether the camera is away and why, and what happens next. */
export function LiveCover({ camera: { word, reason, tone }, opening, drawnAt, now }: Props) {
  const since = drawnAt === undefined ? null : `Last picture ${formatDuration(now - drawnAt)} ago`;
  if (tone === 'good') {
    return (
      <div className="cover cover-quiet">
        <strong>{opening ? 'Opening…' : 'Waiting for a picture'}</strong>
        {since !== null && <p className="cover-since">{since}</p>}
      </div>
    );
  }
  return (
    <div className="cover">
      <Icon name={tone === 'wait' ? 'live' : 'alert'} />
      <strong>{tone === 'wait' ? 'Connecting to the camera' : `Camera ${word.toLowerCase()}`}</strong>
      {reason !== null && <p>{reason}</p>}
      <p className="cover-since">{[since, tone === 'bad' ? 'the box keeps trying' : null].filter(Boolean).join(' · ')}</p>
    </div>
  );
}
