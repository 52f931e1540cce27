import { pageWords } from '../words/page-words.ts';
import { boxClock } from './box-clock.ts';
import { ProblemError } from './problem-error.ts';
import { sessionEnded } from './session-ended.ts';
import type { Problem } from './types.ts';

export interface RequestOptions {
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, under its own type. */
  readonly file?: Blob;
  readonly signal?: AbortSignal;
  /** The change is refused where the record has another version by now. */
  readonly version?: number;
  /** Makes a repeated sending of this request have one effect. */
  readonly idempotencyKey?: string;
}

/**
 * One request to the box that serves this page.
 * @throws {ProblemError} whatever the box refuses, and `offline` where it cannot be reached
 */
export async function request<Answer>(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
  const response = await send(method, path, options);
  if (response.status === 204) return undefined as Answer;
  return (await response.json()) as Answer;
}

/** Like {@link request}, but leaves the answer's body to the caller. */
export async function send(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
  const headers = new Headers({ accept: 'application/json, application/problem+json' });
  if (options.body !== undefined) headers.set('content-type', 'application/json');
  if (options.file !== undefined) headers.set('content-type', options.file.type || 'application/octet-stream');
  if (options.version !== undefined) headers.set('if-match', `"${options.version}"`);
  if (options.idempotencyKey !== undefined) headers.set('idempotency-key', options.idempotencyKey);
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      body: options.file ?? (options.body === undefined ? null : JSON.stringify(options.body)),
      signal: options.signal ?? null,
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw ProblemError.from(error);
  }
  boxClock.observe(response.headers.get('date'));
  if (response.ok) return response;
  const refusal = new ProblemError(await readProblem(response));
  if (response.status === 401 && path !== '/v1/session') sessionEnded.dispatchEvent(new Event('ended'));
  throw refusal;
}

async function readProblem(response: Response): Promise<Problem> {
  if (response.headers.get('content-type')?.includes('application/problem+json')) {
    const problem = (await response.json()) as Problem;
    return { ...problem, title: pageWords(problem.title), detail: pageWords(problem.detail), next: pageWords(problem.next) };
  }
  return {
    type: 'about:blank',
    title: `The box answered with status ${response.status}`,
    status: response.status,
    detail: response.statusText || 'No reason was given.',
    code: 'unknown',
    next: 'Try again; if it stays, look into the log of the box.',
    details: {},
    requestId: response.headers.get('x-request-id') ?? '',
  };
}
