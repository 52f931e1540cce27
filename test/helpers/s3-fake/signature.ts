import { createHash, createHmac } from 'node:crypto';

/** What is signed of a request to S3. */
export interface SignedRequest {
  readonly method: string;
  /** As it is sent. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  /** Names of those that are signed, lower case. */
  readonly signedHeaders: readonly string[];
  /** SHA-256 of the body, hex. */
  readonly payload: string;
}

export interface Scope {
  readonly secret: string;
  /** `20130524T000000Z`. */
  readonly at: string;
  readonly region: string;
}

/** The signature of a request (AWS Signature Version 4, as S3 has it: the path is not encoded once more), hex. */
export function signatureOf(
  { method, path, query, headers, signedHeaders, payload }: SignedRequest,
  { secret, at, region }: Scope,
): string {
  const names = signedHeaders.toSorted();
  const canonical = [
    method,
    path
      .split('/')
      .map((part) => encode(decodeURIComponent(part)))
      .join('/'),
    [...query]
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .toSorted()
      .join('&'),
    ...names.map((name) => `${name}:${(headers[name] ?? '').trim().replaceAll(/ +/g, ' ')}`),
    '',
    names.join(';'),
    payload,
  ].join('\n');
  const scope = [at.slice(0, 8), region, 's3', 'aws4_request'];
  const text = ['AWS4-HMAC-SHA256', at, scope.join('/'), createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = scope.reduce<string | Buffer>((last, part) => createHmac('sha256', last).update(part).digest(), `AWS4${secret}`);
  return createHmac('sha256', key).update(text).digest('hex');
}

/** RFC 3986: everything but what is unreserved. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
