import { execFile } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import {
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Bucket } from '../../shared/s3/bucket.ts';
import type { BucketConfig } from '../../shared/s3/bucket-config.ts';
import { readCredentials } from '../../shared/s3/read-credentials.ts';
import { type Fault, S3Fake } from '../helpers/s3-fake/s3-fake.ts';
import { type Scope, type SignedRequest, signatureOf } from '../helpers/s3-fake/signature.ts';

const RIGHTS = [
  ...['s3:PutObject', 's3:PutObjectRetention', 's3:GetObject', 's3:GetObjectRetention', 's3:DeleteObject', 's3:DeleteObjectVersion'],
  ...['s3:ListBucket', 's3:ListBucketVersions', 's3:GetBucketObjectLockConfiguration', 's3:GetBucketVersioning'],
];
const NEVER = new AbortController().signal;
const YEAR_MS = 365 * 86_400_000;
const inAYear = (): Date => new Date(Date.now() + YEAR_MS);
const TYPE = 'application/octet-stream';

async function open(config: BucketConfig, stop: AbortSignal = NEVER): Promise<Bucket> {
  const bucket = await Bucket.open(config, stop);
  onTestFinished(() => bucket.close());
  return bucket;
}

/** Amazon's own client, for what the product does not do. */
function clientOf({ endpoint, region, credentials }: BucketConfig): S3Client {
  const client = new S3Client({ endpoint, region, credentials: readCredentials(credentials), forcePathStyle: true, maxAttempts: 1 });
  onTestFinished(() => client.destroy());
  return client;
}

async function namesOf(bucket: Bucket, beginning: string, after?: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isRemoval } of bucket.versions(beginning, after)) names.push(isRemoval ? `-${name}` : name);
  return names;
}

/** "Signature Calculations for the Authorization Header", Amazon S3 API Reference. */
describe('AWS Signature Version 4, with the examples of its reference', () => {
  const scope: Scope = { secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', at: '20130524T000000Z', region: 'us-east-1' };
  const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
  const put = '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072';
  const request = (method: string, path: string, query: string, payload: string, headers: Record<string, string> = {}): SignedRequest => {
    const all = {
      ...{ host: 'examplebucket.s3.amazonaws.com', 'x-amz-content-sha256': payload, 'x-amz-date': scope.at },
      ...headers,
    };
    return { method, path, query: new URLSearchParams(query), headers: all, signedHeaders: Object.keys(all), payload };
  };
  const uploaded = { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' };
  test.each([
    ['GET Object', request('GET', '/test.txt', '', empty, { range: 'bytes=0-9' }), 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41'], // biome-ignore format: one line each
    ['PUT Object', request('PUT', '/test%24file.text', '', put, uploaded), '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd'], // biome-ignore format: one line each
    ['GET Bucket Lifecycle', request('GET', '/', 'lifecycle', empty), 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'], // biome-ignore format: one line each
    ['GET Bucket (List Objects)', request('GET', '/', 'max-keys=2&prefix=J', empty), '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'], // biome-ignore format: one line each
  ])('%s', (_name, example, signature) => {
    expect(signatureOf(example, scope)).toBe(signature);
  });
});

describe('a bucket', () => {
  test('takes an object once, locked, and gives it back', async () => {
    const store = await S3Fake.start();
    const bucket = await open(await store.account(...RIGHTS));
    expect(await bucket.canLock()).toBe(true);
    const until = inAYear();
    expect(await bucket.get('a/b c+ä')).toBeUndefined();
    expect(await bucket.putLocked('a/b c+ä', Buffer.from('one'), TYPE, until)).toBe(true);
    expect(await bucket.putLocked('a/b c+ä', Buffer.from('two'), TYPE, until)).toBe(false);
    expect(await bucket.get('a/b c+ä')).toEqual({ body: Buffer.from('one'), lock: { mode: 'COMPLIANCE', until } });
    expect(store.objects.names).toEqual(['log/a/b c+ä']);
  });

  test('tells every version of every name, however many pages it takes', async () => {
    const store = await S3Fake.start();
    const bucket = await open(await store.account(...RIGHTS));
    const names = Array.from({ length: 1100 }, (_, number) => `n/${String(number).padStart(4, '0')}`);
    for (const name of [...names, 'o/other']) store.objects.put(`log/${name}`, { body: Buffer.from(name) });
    for (let more = 0; more < 5; more++) store.objects.put('log/n/0997', { body: Buffer.from('over it') });
    store.objects.remove('log/n/1050');
    const all = await namesOf(bucket, 'n/');
    expect(all.filter((name) => name === 'n/0997')).toHaveLength(6);
    expect(all.filter((name) => name.startsWith('-'))).toEqual(['-n/1050']);
    expect([...new Set(all.filter((name) => !name.startsWith('-')))]).toEqual(names);
    expect(await namesOf(bucket, 'n/', 'n/1097')).toEqual(['n/1098', 'n/1099']);
    expect(await namesOf(bucket, 'p/')).toEqual([]);
  });

  test.each([{ objectLock: false }, { versioning: false, objectLock: false }])('that does not lock says so: %o', async (lacks) => {
    const store = await S3Fake.start(lacks);
    const bucket = await open(await store.account(...RIGHTS));
    expect(await bucket.canLock()).toBe(false);
    await expect(bucket.putLocked('a', Buffer.from('one'), TYPE, inAYear())).rejects.toMatchObject({ code: 'bucket_refused' });
    expect(store.objects.names).toEqual([]);
  });

  test.each<[Fault, string]>([
    ['slow-down', 'bucket_unavailable'],
    ['internal-error', 'bucket_unavailable'],
    ['cut-before', 'bucket_unavailable'],
    ['redirect', 'bucket_refused'],
  ])('says what another try may mend: %s', async (fault, code) => {
    const store = await S3Fake.start();
    const bucket = await open(await store.account(...RIGHTS));
    store.fault = () => fault;
    await expect(bucket.get('a')).rejects.toMatchObject({ code });
    await expect(bucket.putLocked('a', Buffer.from('one'), TYPE, inAYear())).rejects.toMatchObject({ code });
    await expect(namesOf(bucket, 'a')).rejects.toMatchObject({ code });
    store.fault = () => undefined;
    expect(await bucket.putLocked('a', Buffer.from('one'), TYPE, inAYear())).toBe(true);
  });

  test('finds what it put itself where it did not hear that it had', async () => {
    const store = await S3Fake.start();
    const bucket = await open(await store.account(...RIGHTS));
    let cut = 0;
    store.fault = () => (cut++ === 0 ? 'cut-after' : undefined);
    expect(await bucket.putLocked('a', Buffer.from('one'), TYPE, inAYear())).toBe(false);
    expect((await bucket.get('a'))?.body.toString()).toBe('one');
  });

  test('is not waited for once it is stopped', async () => {
    const store = await S3Fake.start();
    const stop = new AbortController();
    const bucket = await open(await store.account(...RIGHTS), stop.signal);
    store.fault = () => {
      setImmediate(() => stop.abort());
      return 'hang';
    };
    await expect(bucket.get('a')).rejects.toMatchObject({ code: 'bucket_unavailable' });
  });

  test('is used also where the clock of this machine is an hour off', async () => {
    const store = await S3Fake.start();
    const bucket = await open(await store.account(...RIGHTS));
    store.skewMs = 3_600_000;
    expect(await bucket.putLocked('a', Buffer.from('one'), TYPE, inAYear())).toBe(true);
    expect(store.asked).toEqual(['PUT log/a 403', 'PUT log/a 200']);
  });

  test('refuses whoever is not allowed, not known, or has another key, and says nothing of keys', async () => {
    const store = await S3Fake.start();
    const config = await store.account(...RIGHTS);
    const without = await store.account('s3:GetObject');
    await expect((await open(without)).putLocked('a', Buffer.from('one'), TYPE, inAYear())).rejects.toMatchObject({
      code: 'bucket_refused',
    });
    for (const wrong of [{ region: 'eu-west-1' }, { bucket: 'another' }]) {
      await expect((await open({ ...config, ...wrong })).get('a')).rejects.toMatchObject({ code: 'bucket_refused' });
    }
    const { file } = config.credentials as { file: string };
    for (const key of [
      { accessKeyId: 'AKIA0000000000000000', secretAccessKey: 'x' },
      { ...readCredentials(config.credentials), secretAccessKey: 'x' },
    ]) {
      await writeFile(file, JSON.stringify(key));
      await expect((await open(config)).get('a')).rejects.toMatchObject({ code: 'bucket_refused' });
    }
    await writeFile(file, '{"accessKeyId":"AKIA","secret":"hunter2hunter2"}');
    await expect(open(config)).rejects.toSatisfy(
      (error: Error) => !JSON.stringify([error, error.message, error.cause]).includes('hunter2'),
    );
    await chmod(file, 0o644);
    await expect(open(config)).rejects.toMatchObject({ code: 'secret_file_unsafe' });
  });
});

test.each([
  ['no bucket', '', '0'],
  ['one', "await import('@aws-sdk/client-s3');", '[1-9]\\d*'],
])('a control plane with %s loads as much of Amazon as it needs', async (_what, more, count) => {
  const plane = new URL('../../cloud/control-plane.ts', import.meta.url);
  const code = `await import('${plane}'); ${more} const { createRequire } = await import('node:module');
    console.log(Object.keys(createRequire('${plane}').cache).filter((path) => path.includes('@aws-sdk')).length);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], { cwd: import.meta.dirname });
  expect(stdout.trim()).toMatch(new RegExp(`^${count}$`));
});

describe('the stand-in for an object store', () => {
  test('keeps a locked version from everybody, and lets it be covered', async () => {
    const store = await S3Fake.start();
    const config = await store.account(...RIGHTS);
    const [bucket, client] = [await open(config), clientOf(config)];
    const at = { Bucket: config.bucket, Key: 'log/a' };
    await bucket.putLocked('a', Buffer.from('one'), TYPE, inAYear());
    const { VersionId } = await client.send(new HeadObjectCommand(at));
    await expect(client.send(new DeleteObjectCommand({ ...at, VersionId }))).rejects.toThrow('object lock');
    expect(await client.send(new DeleteObjectCommand(at))).toMatchObject({ DeleteMarker: true });
    expect(await bucket.get('a')).toBeUndefined();
    expect(await namesOf(bucket, 'a')).toEqual(['a', '-a']);
    expect((await client.send(new ListObjectsV2Command({ Bucket: config.bucket }))).KeyCount).toBe(0);
    // When its time has come, it can go.
    store.skewMs = YEAR_MS + 3_600_000;
    await client.send(new DeleteObjectCommand({ ...at, VersionId })).catch(() => undefined);
    await client.send(new DeleteObjectCommand({ ...at, VersionId }));
    expect(store.objects.all()).toHaveLength(1);
  });

  test('refuses what it does not know', async () => {
    const store = await S3Fake.start();
    const config = await store.account(...RIGHTS);
    const client = clientOf(config);
    const at = { Bucket: config.bucket, Key: 'log/a' };
    const tagging = new PutObjectTaggingCommand({ ...at, Tagging: { TagSet: [] } });
    await expect(client.send(tagging)).rejects.toMatchObject({ name: 'NotImplemented' });
    await expect(client.send(new PutObjectCommand({ ...at, Body: 'x', StorageClass: 'GLACIER' }))).rejects.toThrow('x-amz-storage-class');
    await expect(client.send(new ListObjectsV2Command({ Bucket: config.bucket, Delimiter: '/' }))).rejects.toThrow('delimiter');
    const checksum = Buffer.alloc(32).toString('base64');
    await expect(client.send(new PutObjectCommand({ ...at, Body: 'x', ChecksumSHA256: checksum }))).rejects.toMatchObject({
      name: 'BadDigest',
    });
    expect((await fetch(`${config.endpoint}/${config.bucket}/log/a?x-id=GetObject`)).status).toBe(400);
    expect(store.objects.names).toEqual([]);
  });
});
