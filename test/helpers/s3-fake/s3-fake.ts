import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import type { BucketConfig } from '../../../shared/s3/bucket-config.ts';
import { noteSecret } from '../secrecy/note-secret.ts';
import { tempFolder } from '../temp-folder.ts';
import { Objects } from './objects.ts';
import { type Answer, type Asked, answer } from './operations.ts';
import { type Account, requireSigned } from './require-signed.ts';
import { S3Error } from './s3-error.ts';

/** What goes wrong with a request; `…-after`: it is done, and whoever asked does not hear of it. */
export type Fault = 'slow-down' | 'internal-error' | 'cut-before' | 'cut-after' | 'hang' | 'hang-after' | 'redirect';

interface FakeOptions {
  readonly versioning?: boolean;
  readonly objectLock?: boolean;
  /** It says that it locks what is put there, and does not. */
  readonly forgetsLocks?: boolean;
}

/**
 * An object store that speaks S3 over HTTP, with one bucket: it checks signatures, digests and rights, keeps versions and locks, and refuses every
 * header, query and operation that it does not know. A stand-in for a store that cannot be had here, so stricter than the real ones.
 */
export class S3Fake {
  readonly objects: Objects;
  readonly region = 'eu-central-1';
  readonly bucket = 'audit-log';
  readonly versioning: boolean;
  readonly objectLock: boolean;
  readonly forgetsLocks: boolean;
  /** What was asked and what it came to: `PUT name 200`. */
  readonly asked: string[] = [];
  /** It says that there are more versions, and not where they begin. */
  listsOn = false;
  /** By how far its clock is ahead, milliseconds. */
  skewMs = 0;
  fault: (method: string, name: string) => Fault | undefined = () => undefined;
  readonly #accounts: Account[] = [];
  #port = 0;
  readonly #server: Server;

  private constructor({ versioning = true, objectLock = true, forgetsLocks = false }: FakeOptions) {
    this.versioning = versioning;
    this.objectLock = objectLock;
    this.forgetsLocks = forgetsLocks;
    this.objects = new Objects(versioning, () => this.now());
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(options: FakeOptions = {}): Promise<S3Fake> {
    const fake = new S3Fake(options);
    await fake.listen();
    onTestFinished(() => fake.stop());
    return fake;
  }

  /** Also after a stop, where it was. */
  async listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  now(): number {
    return Date.now() + this.skewMs;
  }

  /** Somebody with these rights (`s3:PutObject`) alone, as a program of his is configured. */
  async account(...rights: readonly string[]): Promise<BucketConfig> {
    const account = { id: `AKIA${randomBytes(8).toString('hex').toUpperCase()}`, secret: randomBytes(30).toString('base64'), rights };
    noteSecret('secret access key', account.secret);
    this.#accounts.push(account);
    const file = join(await tempFolder(), 'access-key.json');
    await writeFile(file, JSON.stringify({ accessKeyId: account.id, secretAccessKey: account.secret }), { mode: 0o600 });
    const { region, bucket } = this;
    return { endpoint: `http://127.0.0.1:${this.#port}`, region, bucket, prefix: 'log/', pathStyle: true, credentials: { file } };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://store');
    const [, bucket = '', ...rest] = url.pathname.split('/').map(decodeURIComponent);
    const [method, name] = [request.method ?? '', rest.join('/')];
    const body = await buffer(request);
    const fault = this.fault(method, name);
    if (fault === 'hang') return;
    if (fault === 'cut-before') return void request.socket.destroy();
    let told: Answer;
    try {
      if (fault === 'slow-down') throw new S3Error(503, 'SlowDown', 'Please reduce your request rate.');
      if (fault === 'internal-error') throw new S3Error(500, 'InternalError');
      if (fault === 'redirect') throw new S3Error(301, 'PermanentRedirect', 'Elsewhere', { 'x-amz-bucket-region': 'us-west-2' });
      const headers = headersOf(request);
      const { rights } = requireSigned({ method, path: url.pathname, query: url.searchParams, headers, body }, this.#accounts, this);
      if (bucket !== this.bucket) throw new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist');
      const asked: Asked = { method, name, query: url.searchParams, headers, body, rights };
      told = answer(asked, this);
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      const text = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${error.code}</Code><Message>${error.message}</Message></Error>`;
      told = { status: error.status, headers: { 'content-type': 'application/xml', ...error.headers }, body: Buffer.from(text) };
    }
    this.asked.push(`${method} ${name === '' ? url.search : name} ${told.status}`);
    if (fault === 'hang-after') return;
    if (fault === 'cut-after') return void request.socket.destroy();
    response.writeHead(told.status, { ...told.headers, date: new Date(this.now()).toUTCString(), 'content-length': told.body.length });
    response.end(method === 'HEAD' ? undefined : told.body);
  }
}

/** One of each: what is there twice is not signed as one. */
function headersOf({ rawHeaders }: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    if (name in headers) throw new S3Error(400, 'InvalidRequest', `${name} is there twice`);
    headers[name] = rawHeaders[index + 1] ?? '';
  }
  return headers;
}
