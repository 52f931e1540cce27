import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { checkTarget } from './check-target.ts';
import { publicLookup, type Resolve } from './public-lookup.ts';

/** A receiver that needs longer is to take the message first and to work afterwards. */
const LONGEST_MS = 10_000;
/** Answers before the answer (1xx). Sent without end, each of them would take time from the cameras; then the last one counts. */
const MOST_INTERIM = 8;

export interface DeliverOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly allowPrivate: boolean;
  readonly signal: AbortSignal;
  readonly resolve?: Resolve | undefined;
  readonly longestMs?: number | undefined;
}

/**
 * Posts one message; every attempt is a connection of its own. Redirects are answers like any other and not followed,
 * nothing of the answer but its status is read.
 * @returns the status of the answer
 * @throws {SecureGateError} `webhook_target_refused`; else what the connection met with (an error with the system's `code`),
 * or the signal's reason
 */
export async function deliver(options: DeliverOptions): Promise<number> {
  const { url, headers, body, allowPrivate, resolve } = options;
  const target = checkTarget(url, allowPrivate);
  const request = target.protocol === 'https:' ? requestHttps : requestHttp;
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.longestMs ?? LONGEST_MS)]);
  return new Promise((done, fail) => {
    const call = request(target, {
      method: 'POST',
      agent: false,
      signal,
      headers: { ...headers, 'content-length': body.length },
      ...(allowPrivate ? {} : { lookup: publicLookup(resolve) }),
    });
    let interim = 0;
    call.on('information', ({ statusCode }) => {
      interim += 1;
      if (interim <= MOST_INTERIM) return;
      done(statusCode);
      call.destroy();
    });
    call.on('response', (answer) => {
      done(answer.statusCode ?? 0);
      // The rest of the answer is nobody's business here, and may never end.
      answer.on('error', () => call.destroy());
      answer.destroy();
    });
    call.on('error', (error) => fail(error.cause instanceof SecureGateError ? error.cause : error));
    call.end(body);
  });
}
