import autocannon from 'autocannon';

export interface Figures {
  readonly requests: number;
  /** Answers a second. */
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

export interface Load {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Posted; without one it is a GET. */
  readonly picture?: Buffer;
  readonly connections: number;
  readonly requests: number;
  /** Requests a second; as fast as the answers come unless given. */
  readonly rate?: number;
}

/** @throws {Error} where not every answer was the one that was asked for: figures of refusals say nothing */
export async function measure({ url, headers = {}, picture, connections, requests, rate }: Load): Promise<Figures> {
  const { promise, resolve, reject } = Promise.withResolvers<autocannon.Result>();
  const startedAt = performance.now();
  let endedAt = startedAt;
  const shots = autocannon(
    {
      url,
      connections,
      amount: requests,
      headers: { ...headers, ...(picture === undefined ? {} : { 'content-type': 'image/jpeg' }) },
      ...(picture === undefined ? {} : { method: 'POST', body: picture }),
      ...(rate === undefined ? {} : { overallRate: rate }),
    },
    (error: Error | null, result) => (error === null ? resolve(result) : reject(error)),
  );
  // The result's own duration ends with the second in which the last answer came.
  shots.on('response', () => {
    endedAt = performance.now();
  });
  const result = await promise;
  const good = result['2xx'];
  if (good !== requests) {
    throw new Error(
      `${url}: ${good} of ${requests} were answered well (${result.errors} errors, ${JSON.stringify(result.statusCodeStats)})`,
    );
  }
  return { requests, perSecond: (good * 1000) / (endedAt - startedAt), p50: result.latency.p50, p99: result.latency.p99 };
}
