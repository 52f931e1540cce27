import { expect } from 'vitest';
import type { TestApi } from './test-api.ts';

export interface OpenedStream {
  readonly headers: Headers;
  /** Reads on until what was read so far is wanted. @throws {Error} where the stream ends before */
  readonly until: (wanted: (read: Buffer) => boolean) => Promise<Buffer>;
  readonly end: () => void;
}

/** Reads a stream that does not end. */
export async function openStream(api: TestApi, path: string, as = api.admin): Promise<OpenedStream> {
  const abort = new AbortController();
  const response = await fetch(`${api.url}${path}`, { headers: { authorization: `Bearer ${as}` }, signal: abort.signal });
  expect(response.status).toBe(200);
  const reader = response.body?.getReader();
  let read = Buffer.alloc(0);
  const until = async (wanted: (read: Buffer) => boolean): Promise<Buffer> => {
    while (!wanted(read)) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      if (done) throw new Error('the stream ended');
      read = Buffer.concat([read, value]);
    }
    return read;
  };
  return { headers: response.headers, until, end: () => abort.abort() };
}
