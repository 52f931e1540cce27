import { useCallback, useState } from 'react';
import { ProblemError } from '../api/problem-error.ts';
import type { Problem } from '../api/types.ts';

export interface Action {
  readonly busy: boolean;
  readonly problem: Problem | undefined;
  /** Does the work once; a second call while it runs does nothing. @returns whether it succeeded */
  readonly run: (work: () => Promise<void>) => Promise<boolean>;
  readonly forget: () => void;
}

/** State of something that a person sets off: whether it runs, and what it was refused for. */
export function useAction(): Action {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const run = useCallback(
    async (work: () => Promise<void>) => {
      if (busy) return false;
      setBusy(true);
      setProblem(undefined);
      try {
        await work();
        return true;
      } catch (error) {
        setProblem(ProblemError.from(error).problem);
        return false;
      } finally {
        setBusy(false);
      }
    },
    [busy],
  );
  const forget = useCallback(() => setProblem(undefined), []);
  return { busy, problem, run, forget };
}
