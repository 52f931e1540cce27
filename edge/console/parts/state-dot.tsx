import type { ReactNode } from 'react';
import type { Tone } from '../words/camera-state.ts';

interface Props {
  readonly tone: Tone;
  readonly children: ReactNode;
}

/** A state as a coloured dot with its word; the form of the dot differs too, for those who cannot tell the colours. */
export function StateDot({ tone, children }: Props) {
  return (
    <span className={`state state-${tone}`}>
      <svg className="state-dot" viewBox="0 0 10 10" aria-hidden="true">
        {tone === 'bad' ? (
          <path d="M5 .5 9.7 9H.3z" />
        ) : tone === 'off' ? (
          <rect x="1.5" y="1.5" width="7" height="7" />
        ) : (
          <circle cx="5" cy="5" r="4" />
        )}
      </svg>
      {children}
    </span>
  );
}
