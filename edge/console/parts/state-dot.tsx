import type { ReactNode } from 'react';
import type { Tone } from '../words/camera-state.ts';

const DISC = 'M1 5a4 4 0 1 0 8 0a4 4 0 1 0 -8 0';
const FORMS: Readonly<Record<Tone, string>> = {
  good: DISC,
  wait: DISC,
  warn: 'M5 .2 9.8 5 5 9.8 .2 5z',
  bad: 'M5 .5 9.7 9H.3z',
  off: 'M1.5 1.5h7v7h-7z',
};

interface Props {
  readonly tone: Tone;
  readonly children: ReactNode;
}

/** A state as a coloured dot with its word; the form of the dot differs too, for those who cannot tell the colours. */
export function StateDot({ tone, children }: Props) {
  return (
    <span className={`state state-${tone}`}>
      <svg className="state-dot" viewBox="0 0 10 10" aria-hidden="true">
        <path d={FORMS[tone]} />
      </svg>
      {children}
    </span>
  );
}
