import { useState } from 'react';
import type { Sighting } from '../api/types.ts';

export interface Steady {
  readonly shown: readonly Sighting[];
  /** Sightings that came meanwhile and are not shown yet. */
  readonly waiting: number;
  readonly release: () => void;
  /** To be spread over the element that holds the list. */
  readonly hold: {
    readonly onPointerEnter: () => void;
    readonly onPointerLeave: () => void;
    readonly onFocus: () => void;
    readonly onBlur: () => void;
  };
}

/** Keeps a list from moving under the pointer or the keyboard's focus: what is new waits until both are elsewhere. */
export function useSteady(items: readonly Sighting[]): Steady {
  const [held, setHeld] = useState<{ readonly ids: ReadonlySet<string>; readonly oldest: string }>();
  const hold = (): void =>
    setHeld((before) => before ?? { ids: new Set(items.map(({ id }) => id)), oldest: items.at(-1)?.startedAt ?? '' });
  const release = (): void => setHeld(undefined);
  const shown = held === undefined ? items : items.filter(({ id, startedAt }) => held.ids.has(id) || startedAt < held.oldest);
  return {
    shown,
    waiting: items.length - shown.length,
    release,
    hold: { onPointerEnter: hold, onPointerLeave: release, onFocus: hold, onBlur: release },
  };
}
