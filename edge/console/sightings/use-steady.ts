import { useEffect, useRef, useState } from 'react';
import type { Sighting } from '../api/types.ts';

/** A pointer that rests for so long is not about to click, and the list goes on. */
const REST_MS = 3000;

export interface Steady {
  readonly shown: readonly Sighting[];
  /** Sightings that came meanwhile and are not shown yet. */
  readonly waiting: number;
  readonly release: () => void;
  /** To be spread over the element that holds the list. */
  readonly hold: {
    readonly onPointerMove: () => void;
    readonly onPointerLeave: () => void;
    readonly onFocus: () => void;
    readonly onKeyDown: () => void;
    readonly onBlur: () => void;
  };
}

/** Keeps a list from moving under a moving pointer or under the keyboard: what is new waits until both rest. */
export function useSteady(items: readonly Sighting[]): Steady {
  const [held, setHeld] = useState<{ readonly ids: ReadonlySet<string>; readonly oldest: string }>();
  const timer = useRef<number>(undefined);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const release = (): void => {
    window.clearTimeout(timer.current);
    setHeld(undefined);
  };
  const hold = (): void => {
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(release, REST_MS);
    setHeld((before) => before ?? { ids: new Set(items.map(({ id }) => id)), oldest: items.at(-1)?.startedAt ?? '' });
  };
  const shown = held === undefined ? items : items.filter(({ id, startedAt }) => held.ids.has(id) || startedAt < held.oldest);
  return {
    shown,
    waiting: items.length - shown.length,
    release,
    hold: { onPointerMove: hold, onPointerLeave: release, onFocus: hold, onKeyDown: hold, onBlur: release },
  };
}
