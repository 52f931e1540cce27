import { createHash } from 'node:crypto';
import type { Objects, Version } from './objects.ts';
import { S3Error } from './s3-error.ts';

export interface Asked {
  readonly method: string;
  /** Of the object; empty for the bucket. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly rights: readonly string[];
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

interface Store {
  readonly objects: Objects;
  readonly bucket: string;
  readonly versioning: boolean;
  readonly objectLock: boolean;
  readonly forgetsLocks: boolean;
  readonly listsOn: boolean;
  now(): number;
}

interface Operation {
  readonly method: string;
  readonly ofBucket: boolean;
  /** That tell it from others. */
  readonly marks: Readonly<Record<string, string>>;
  readonly queries: readonly string[];
  readonly headers: readonly string[];
  readonly right: string;
  readonly run: (asked: Asked, store: Store) => Answer;
}

/** Those of every request, and those by which Amazon's client tells of itself. */
const HEADERS = ['host', 'authorization', 'connection', 'content-length', 'user-agent', 'x-amz-user-agent', 'x-amz-content-sha256', 'x-amz-date', 'amz-sdk-invocation-id', 'amz-sdk-request']; // biome-ignore format: one line
const MOST_KEYS = 1000;

const OPERATIONS: readonly Operation[] = [
  { method: 'GET', ofBucket: true, marks: { 'object-lock': '' }, queries: [], headers: [], right: 's3:GetBucketObjectLockConfiguration', run: lockOf }, // biome-ignore format: one line
  { method: 'GET', ofBucket: true, marks: { versioning: '' }, queries: [], headers: [], right: 's3:GetBucketVersioning', run: versioningOf }, // biome-ignore format: one line
  { method: 'GET', ofBucket: true, marks: { versions: '' }, queries: ['prefix', 'key-marker', 'version-id-marker', 'max-keys'], headers: [], right: 's3:ListBucketVersions', run: listVersions }, // biome-ignore format: one line
  { method: 'GET', ofBucket: true, marks: { 'list-type': '2' }, queries: ['prefix', 'start-after', 'continuation-token', 'max-keys'], headers: [], right: 's3:ListBucket', run: listObjects }, // biome-ignore format: one line
  { method: 'PUT', ofBucket: false, marks: { 'x-id': 'PutObject' }, queries: [], headers: ['content-type', 'if-none-match', 'x-amz-checksum-sha256', 'x-amz-object-lock-mode', 'x-amz-object-lock-retain-until-date'], right: 's3:PutObject', run: putObject }, // biome-ignore format: one line
  { method: 'GET', ofBucket: false, marks: { 'x-id': 'GetObject' }, queries: ['versionId'], headers: [], right: 's3:GetObject', run: getObject }, // biome-ignore format: one line
  { method: 'HEAD', ofBucket: false, marks: {}, queries: ['versionId'], headers: [], right: 's3:GetObject', run: getObject },
  { method: 'DELETE', ofBucket: false, marks: { 'x-id': 'DeleteObject' }, queries: ['versionId'], headers: [], right: 's3:DeleteObject', run: deleteObject }, // biome-ignore format: one line
];

/** Does what is asked, if it is known and allowed. @throws {S3Error} */
export function answer(asked: Asked, store: Store): Answer {
  const { method, name, query, headers } = asked;
  const operation = OPERATIONS.find(
    ({ marks, ...one }) =>
      one.method === method && one.ofBucket === (name === '') && Object.entries(marks).every(([mark, value]) => query.get(mark) === value),
  );
  if (operation === undefined) throw new S3Error(501, 'NotImplemented', `Nothing is known of ${method} with ${query}`);
  const marks = Object.keys(operation.marks);
  for (const one of query.keys())
    if (![...marks, ...operation.queries].includes(one)) throw new S3Error(501, 'NotImplemented', `query ${one}`);
  for (const one of Object.keys(headers)) {
    if (![...HEADERS, ...operation.headers].includes(one)) throw new S3Error(501, 'NotImplemented', `header ${one}`);
  }
  requireRight(asked, operation.right);
  return operation.run(asked, store);
}

function requireRight({ rights }: Asked, right: string): void {
  if (!rights.includes(right)) throw new S3Error(403, 'AccessDenied', `Not allowed: ${right}`);
}

function lockOf(_asked: Asked, { objectLock }: Store): Answer {
  if (!objectLock)
    throw new S3Error(404, 'ObjectLockConfigurationNotFoundError', 'Object Lock configuration does not exist for this bucket');
  return xml('<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>');
}

function versioningOf(_asked: Asked, { versioning }: Store): Answer {
  return xml(`<VersioningConfiguration>${versioning ? '<Status>Enabled</Status>' : ''}</VersioningConfiguration>`);
}

function listVersions({ query }: Asked, { objects, bucket, listsOn }: Store): Answer {
  const [prefix, key, id] = ['prefix', 'key-marker', 'version-id-marker'].map((name) => query.get(name) ?? '');
  const named = objects.all().filter(({ name }) => name.startsWith(prefix ?? ''));
  const start =
    id === '' ? named.findIndex(({ name }) => name > (key ?? '')) : 1 + named.findIndex((one) => one.name === key && one.version.id === id);
  const rest = start === -1 ? [] : named.slice(start);
  const page = rest.slice(0, Number(query.get('max-keys') ?? MOST_KEYS));
  const last = page.at(-1);
  const items = page.map(({ name, isLatest, version }) => {
    const about = `<Key>${escapeXml(name)}</Key><VersionId>${version.id}</VersionId><IsLatest>${isLatest}</IsLatest><LastModified>${new Date(version.at).toISOString()}</LastModified>`;
    return version.body === undefined
      ? `<DeleteMarker>${about}</DeleteMarker>`
      : `<Version>${about}<Size>${version.body.length}</Size></Version>`;
  });
  const next =
    rest.length > page.length
      ? `<NextKeyMarker>${escapeXml(last?.name ?? '')}</NextKeyMarker><NextVersionIdMarker>${last?.version.id}</NextVersionIdMarker>`
      : '';
  const isCut = `<IsTruncated>${listsOn || rest.length > page.length}</IsTruncated>`;
  return xml(`<ListVersionsResult><Name>${bucket}</Name>${isCut}${next}${items.join('')}</ListVersionsResult>`);
}

function listObjects({ query }: Asked, { objects, bucket }: Store): Answer {
  const [prefix, after, token] = ['prefix', 'start-after', 'continuation-token'].map((name) => query.get(name) ?? '');
  const rest = objects.names.filter((name) => name.startsWith(prefix ?? '') && name > (token || after || ''));
  const page = rest.slice(0, Number(query.get('max-keys') ?? MOST_KEYS));
  const items = page.map((name) => `<Contents><Key>${escapeXml(name)}</Key><Size>${objects.current(name)?.body?.length}</Size></Contents>`);
  const next = rest.length > page.length ? `<NextContinuationToken>${escapeXml(page.at(-1) ?? '')}</NextContinuationToken>` : '';
  const isCut = `<IsTruncated>${rest.length > page.length}</IsTruncated>`;
  return xml(
    `<ListBucketResult><Name>${bucket}</Name><KeyCount>${page.length}</KeyCount>${isCut}${next}${items.join('')}</ListBucketResult>`,
  );
}

function putObject(asked: Asked, store: Store): Answer {
  const { name, headers, body } = asked;
  const checksum = createHash('sha256').update(body).digest('base64');
  const given = headers['x-amz-checksum-sha256'];
  if (given !== undefined && given !== checksum) throw new S3Error(400, 'BadDigest', 'The SHA256 you specified did not match');
  if (headers['content-length'] !== String(body.length)) throw new S3Error(411, 'MissingContentLength');
  const lockedUntil = lockAskedFor(asked, store);
  const condition = headers['if-none-match'];
  if (condition !== undefined && condition !== '*') throw new S3Error(501, 'NotImplemented', 'If-None-Match knows * alone');
  if (condition === '*' && store.objects.current(name)) throw new S3Error(412, 'PreconditionFailed', 'At least one of the pre-conditions did not hold'); // biome-ignore format: one line
  const version = store.objects.put(name, { body, type: headers['content-type'] ?? 'binary/octet-stream', lockedUntil });
  return empty(200, { etag: etagOf(body), 'x-amz-checksum-sha256': checksum, 'x-amz-version-id': version.id });
}

function lockAskedFor(asked: Asked, store: Store): number | undefined {
  const { 'x-amz-object-lock-mode': mode, 'x-amz-object-lock-retain-until-date': date, 'x-amz-checksum-sha256': checksum } = asked.headers;
  if (mode === undefined && date === undefined) return undefined;
  requireRight(asked, 's3:PutObjectRetention');
  if (!store.objectLock) throw new S3Error(400, 'InvalidRequest', 'Bucket is missing Object Lock Configuration');
  if (checksum === undefined) throw new S3Error(400, 'InvalidRequest', 'Content-MD5 or x-amz-checksum- is required with Object Lock parameters'); // biome-ignore format: one line
  const until = Date.parse(date ?? '');
  if (mode !== 'COMPLIANCE' || Number.isNaN(until)) throw new S3Error(400, 'InvalidArgument', 'Mode and date of the lock belong together');
  if (until <= store.now()) throw new S3Error(400, 'InvalidArgument', 'The retain until date must be in the future!');
  return store.forgetsLocks ? undefined : until;
}

function getObject(asked: Asked, { objects }: Store): Answer {
  const { name, query, rights } = asked;
  const id = query.get('versionId');
  if (id !== null) requireRight(asked, 's3:GetObjectVersion');
  const version = id === null ? objects.current(name) : objects.version(name, id);
  // Who may not list learns nothing of what is there.
  if (version === undefined && !rights.includes('s3:ListBucket')) throw new S3Error(403, 'AccessDenied', 'Access Denied');
  if (version?.body === undefined) throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.');
  return { status: 200, headers: headersFor(version, version.body, rights), body: version.body };
}

function headersFor({ id, type, lockedUntil, at }: Version, body: Buffer, rights: readonly string[]): Record<string, string> {
  const told = { 'content-type': type, etag: etagOf(body), 'x-amz-version-id': id, 'last-modified': new Date(at).toUTCString() };
  if (lockedUntil === undefined || !rights.includes('s3:GetObjectRetention')) return told;
  const until = new Date(lockedUntil).toISOString();
  return { ...told, 'x-amz-object-lock-mode': 'COMPLIANCE', 'x-amz-object-lock-retain-until-date': until };
}

function deleteObject(asked: Asked, { objects }: Store): Answer {
  const id = asked.query.get('versionId') ?? undefined;
  if (id !== undefined) requireRight(asked, 's3:DeleteObjectVersion');
  const removal = objects.remove(asked.name, id);
  return empty(204, removal === undefined ? {} : { 'x-amz-delete-marker': 'true', 'x-amz-version-id': removal });
}

function etagOf(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}

function xml(content: string): Answer {
  const text = `<?xml version="1.0" encoding="UTF-8"?>${content.replace('>', ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/">')}`;
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: Buffer.from(text) };
}

function empty(status: number, headers: Readonly<Record<string, string>>): Answer {
  return { status, headers, body: Buffer.alloc(0) };
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
