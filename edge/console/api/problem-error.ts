import type { Problem } from './types.ts';

/** A request that the box refused, or that never reached it, in words for people. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.detail, options);
    this.problem = problem;
  }

  /** Any thrown value as a problem that can be shown. */
  static from(error: unknown): ProblemError {
    if (error instanceof ProblemError) return error;
    const offline = error instanceof TypeError;
    return new ProblemError(
      {
        type: 'about:blank',
        title: offline ? 'The box does not answer' : 'The page met an unexpected error',
        status: 0,
        detail: offline ? 'The connection to the box is interrupted.' : error instanceof Error ? error.message : String(error),
        code: offline ? 'offline' : 'page_error',
        next: offline ? 'Check that the box is running and that this device is on its network.' : 'Reload the page.',
        details: {},
        requestId: '',
      },
      { cause: error },
    );
  }
}
