import { hash } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import { SecureGateError } from '../errors/securegate-error.ts';
import { asBucketError, failureOf } from './as-bucket-error.ts';
import type { BucketConfig } from './bucket-config.ts';
import { readCredentials } from './read-credentials.ts';

/** How long a request may take, with its answer and with those that are tried again. */
const LONGEST_MS = 30_000;
/** Who sends more than was asked for has no say on how much is read. */
const MOST_BYTES = 1_048_576;

type Sdk = typeof import('@aws-sdk/client-s3');

/** What keeps an object from being removed or replaced before its time, by anybody. */
export interface Lock {
  readonly mode: string;
  readonly until: Date;
}

export interface StoredObject {
  readonly body: Buffer;
  /** Undefined where it has none, or where it is not told to whom asks. */
  readonly lock: Lock | undefined;
}

/** One of all versions that there are of an object: what was put over it, or that it was removed, is one more. */
export interface ObjectVersion {
  readonly name: string;
  readonly isRemoval: boolean;
}

/** A bucket of an object store. Names are those after its prefix. */
export class Bucket {
  readonly #sdk: Sdk;
  readonly #client: S3Client;
  readonly #config: BucketConfig;
  readonly #stop: AbortSignal;

  private constructor(sdk: Sdk, client: S3Client, config: BucketConfig, stop: AbortSignal) {
    this.#sdk = sdk;
    this.#client = client;
    this.#config = config;
    this.#stop = stop;
  }

  /**
   * Nothing is asked yet.
   * @param stop ends every request
   * @throws {SecureGateError} `secret_file_unsafe`, `file_unreadable`
   */
  static async open(config: BucketConfig, stop: AbortSignal): Promise<Bucket> {
    const { endpoint, region, pathStyle } = config;
    const credentials = readCredentials(config.credentials);
    // It takes 39 MB and a tenth of a second: nothing for whoever has no bucket.
    const sdk = await import('@aws-sdk/client-s3');
    const client = new sdk.S3Client({
      ...{ endpoint, region, credentials, forcePathStyle: pathStyle, maxAttempts: 2 },
      // Other stores than Amazon's do not know the checksums that it would add of itself.
      ...{ requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' },
    });
    return new Bucket(sdk, client, config, stop);
  }

  close(): void {
    this.#client.destroy();
  }

  /** Whether the bucket locks what it is asked to lock. @throws {SecureGateError} `bucket_unavailable`, `bucket_refused` */
  async canLock(): Promise<boolean> {
    const Bucket = this.#config.bucket;
    const lock = await this.#send(
      (abortSignal) => this.#client.send(new this.#sdk.GetObjectLockConfigurationCommand({ Bucket }), { abortSignal }),
      'ObjectLockConfigurationNotFoundError',
    );
    const versioning = await this.#send((abortSignal) =>
      this.#client.send(new this.#sdk.GetBucketVersioningCommand({ Bucket }), { abortSignal }),
    );
    return lock?.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled' && versioning?.Status === 'Enabled';
  }

  /**
   * Puts an object that nobody can change or remove before a time.
   * @returns false where there is one of that name: it stays as it is
   * @throws {SecureGateError} `bucket_unavailable`, `bucket_refused`
   */
  async putLocked(name: string, body: Buffer, contentType: string, until: Date): Promise<boolean> {
    const command = new this.#sdk.PutObjectCommand({
      ...{ ...this.#at(name), Body: body, ContentType: contentType, IfNoneMatch: '*' },
      ...{ ChecksumSHA256: hash('sha256', body, 'base64'), ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: until },
    });
    const put = await this.#send((abortSignal) => this.#client.send(command, { abortSignal }), 'PreconditionFailed');
    return put !== undefined;
  }

  /** @returns undefined where there is none @throws {SecureGateError} `bucket_unavailable`, `bucket_refused` */
  async get(name: string): Promise<StoredObject | undefined> {
    const command = new this.#sdk.GetObjectCommand(this.#at(name));
    return await this.#send(async (abortSignal) => {
      const { Body, ContentLength = Number.POSITIVE_INFINITY, ...told } = await this.#client.send(command, { abortSignal });
      if (ContentLength > MOST_BYTES)
        throw new SecureGateError('bucket_refused', 'The object is longer than any of ours', { details: { object: name } });
      const body = Buffer.from((await Body?.transformToByteArray()) ?? []);
      const { ObjectLockMode: mode, ObjectLockRetainUntilDate: lockedUntil } = told;
      return { body, lock: mode === undefined || lockedUntil === undefined ? undefined : { mode, until: lockedUntil } };
    }, 'NoSuchKey');
  }

  /**
   * Every version of every object, by their names.
   * @param beginning of their names
   * @param after name after which they begin
   * @throws {SecureGateError} `bucket_unavailable`, `bucket_refused`
   */
  async *versions(beginning: string, after?: string): AsyncGenerator<ObjectVersion> {
    const { bucket, prefix } = this.#config;
    let [key, version] = [after === undefined ? undefined : prefix + after, undefined as string | undefined];
    for (;;) {
      const command = new this.#sdk.ListObjectVersionsCommand({
        ...{ Bucket: bucket, Prefix: prefix + beginning },
        ...{ KeyMarker: key, VersionIdMarker: version },
      });
      const page = await this.#send((abortSignal) => this.#client.send(command, { abortSignal }));
      const all = [
        ...(page?.Versions ?? []).map(({ Key = '' }) => ({ name: Key.slice(prefix.length), isRemoval: false })),
        ...(page?.DeleteMarkers ?? []).map(({ Key = '' }) => ({ name: Key.slice(prefix.length), isRemoval: true })),
      ];
      yield* all.toSorted((one, other) => (one.name < other.name ? -1 : 1));
      if (page?.IsTruncated !== true) return;
      const { NextKeyMarker: nextKey, NextVersionIdMarker: nextVersion } = page;
      if (nextKey === undefined || (nextKey === key && nextVersion === version))
        throw new SecureGateError('bucket_refused', 'The object store does not say where its list of versions goes on');
      [key, version] = [nextKey, nextVersion];
    }
  }

  #at(name: string) {
    return { Bucket: this.#config.bucket, Key: this.#config.prefix + name };
  }

  /** @param nothing name of the error that says that there is nothing */
  async #send<Answer>(ask: (abortSignal: AbortSignal) => Promise<Answer>, nothing?: string): Promise<Answer | undefined> {
    try {
      return await ask(AbortSignal.any([this.#stop, AbortSignal.timeout(LONGEST_MS)]));
    } catch (error) {
      if (failureOf(error).name === nothing) return undefined;
      throw asBucketError(error);
    }
  }
}
