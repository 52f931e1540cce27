import { useEffect, useState } from 'react';
import { boxClock } from '../api/box-clock.ts';

/** The time at the box, milliseconds since the Unix epoch, told anew at this interval. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => boxClock.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(boxClock.now()), everyMs);
    return () => window.clearInterval(timer);
  }, [everyMs]);
  return now;
}
