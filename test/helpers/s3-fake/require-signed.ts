import { createHash } from 'node:crypto';
import { S3Error } from './s3-error.ts';
import { signatureOf } from './signature.ts';

/** Somebody who may ask. */
export interface Account {
  readonly id: string;
  readonly secret: string;
  readonly rights: readonly string[];
}

interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=(\w{16,128})\/(\d{8})\/([a-z0-9-]+)\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;
const MOST_SKEW_MS = 15 * 60_000;
/** What HTTP itself adds. */
const UNSIGNED = new Set(['authorization', 'connection', 'content-length', 'user-agent', 'accept', 'transfer-encoding']);

/** Who signed a request, and that it is what he signed: all of it. */
export function requireSigned(
  received: Received,
  accounts: readonly Account[],
  store: { readonly region: string; now(): number },
): Account {
  const { headers, body } = received;
  const [, id, day, scope = '', signed = '', signature] = AUTHORIZATION.exec(headers.authorization ?? '') ?? [];
  if (signature === undefined) throw new S3Error(400, 'AuthorizationHeaderMalformed', 'The authorization header is malformed');
  const account = accounts.find((one) => one.id === id);
  if (account === undefined) throw new S3Error(403, 'InvalidAccessKeyId', 'The access key is not in our records.');
  const at = headers['x-amz-date'] ?? '';
  const [, year, month, date, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(at) ?? [];
  const time = Date.parse(`${year}-${month}-${date}T${hour}:${minute}:${second}Z`);
  if (!(Math.abs(time - store.now()) <= MOST_SKEW_MS)) throw new S3Error(403, 'RequestTimeTooSkewed', 'The clocks differ by too much.');
  if (scope !== store.region || day !== at.slice(0, 8)) {
    throw new S3Error(400, 'AuthorizationHeaderMalformed', `The region '${scope}' is wrong; expecting '${store.region}'`);
  }
  const signedHeaders = signed.split(';');
  const unsigned = Object.keys(headers).filter((name) => !UNSIGNED.has(name) && !signedHeaders.includes(name));
  if (unsigned.length > 0) throw new S3Error(403, 'AccessDenied', `There were headers present which were not signed: ${unsigned}`);
  const payload = createHash('sha256').update(body).digest('hex');
  if (headers['x-amz-content-sha256'] !== payload) throw new S3Error(400, 'XAmzContentSHA256Mismatch', 'The body is not what was signed.');
  const wanted = signatureOf({ ...received, signedHeaders, payload }, { secret: account.secret, at, region: store.region });
  if (wanted !== signature) throw new S3Error(403, 'SignatureDoesNotMatch', 'The signature does not match.');
  return account;
}
