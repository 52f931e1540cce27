import { ProblemError } from './problem-error.ts';
import { request } from './request.ts';
import type { Readiness, System } from './types.ts';

export const box = {
  system: (signal: AbortSignal) => request<System>('GET', '/v1/system', { signal }),
  /** The answer has the same form whether the box is ready (200) or not (503). */
  async readiness(signal: AbortSignal): Promise<Readiness> {
    const response = await fetch('/readyz', { signal, cache: 'no-store' }).catch((error: unknown) => {
      throw signal.aborted ? error : ProblemError.from(error);
    });
    return (await response.json()) as Readiness;
  },
};
