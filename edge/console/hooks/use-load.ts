import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { ProblemError } from '../api/problem-error.ts';
import type { Problem } from '../api/types.ts';

export interface Loaded<Data> {
  readonly data: Data | undefined;
  /** Of the last try; `data` may still hold what an earlier one brought. */
  readonly problem: Problem | undefined;
  readonly loading: boolean;
  readonly reload: () => void;
}

interface State<Data> {
  readonly key: string;
  readonly data: Data | undefined;
  readonly problem: Problem | undefined;
}

/**
 * Loads something for as long as the component stands.
 * @param key what is loaded; another key begins anew and ends the load before
 * @param everyMs time after which it is loaded again, counted from the end of a load
 */
export function useLoad<Data>(key: string, load: (signal: AbortSignal) => Promise<Data>, everyMs?: number): Loaded<Data> {
  const [state, setState] = useState<State<Data>>({ key, data: undefined, problem: undefined });
  const latest = useRef(load);
  const again = useRef<() => void>(undefined);
  useLayoutEffect(() => {
    latest.current = load;
  });
  useEffect(() => {
    const abort = new AbortController();
    let timer: number | undefined;
    let turn = 0;
    const run = async (): Promise<void> => {
      window.clearTimeout(timer);
      turn += 1;
      const mine = turn;
      const current = (): boolean => !abort.signal.aborted && mine === turn;
      try {
        const data = await latest.current(abort.signal);
        if (current()) setState({ key, data, problem: undefined });
      } catch (error) {
        const { problem } = ProblemError.from(error);
        if (current()) setState((before) => ({ key, data: before.key === key ? before.data : undefined, problem }));
      }
      if (everyMs !== undefined && current()) timer = window.setTimeout(() => void run(), everyMs);
    };
    again.current = () => void run();
    void run();
    return () => {
      abort.abort();
      window.clearTimeout(timer);
    };
  }, [key, everyMs]);
  const reload = useCallback(() => again.current?.(), []);
  const mine = state.key === key;
  const data = mine ? state.data : undefined;
  const problem = mine ? state.problem : undefined;
  return { data, problem, loading: data === undefined && problem === undefined, reload };
}
