import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SCOPES, type Scope } from '../../edge/api/schemas/box.ts';
import { type ApiOptions, type RunningApi, startApi } from '../../edge/api/server.ts';
import { type Appliance, openAppliance } from '../../edge/appliance/open-appliance.ts';
import { systemClock } from '../../edge/runtime/clock.ts';
import { ApiBox } from './api-box.ts';
import { noteKeyFiles } from './secrecy/note-key-files.ts';
import { noteSecret } from './secrecy/note-secret.ts';
import { testLogger } from './secrecy/test-logger.ts';

/** Limits that no test meets by accident. */
export const PLENTY = { perAddress: 1e6, perPrincipal: 1e6, pictures: 1e6, logIns: 1e6 };

export interface TestApiOptions {
  /** Moves the clock of keys, sessions and links, milliseconds. */
  readonly now?: () => number;
  readonly more?: Partial<Omit<ApiOptions, 'box' | 'appliance'>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Of JSON answers. */
  readonly body: unknown;
  readonly bytes: Buffer;
}

export interface Asking {
  /** Text for `Authorization: Bearer`; none where undefined. */
  readonly as?: string | undefined;
  readonly json?: unknown;
  readonly picture?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A running API over an {@link ApiBox}, with a client. */
export class TestApi {
  readonly url: string;
  readonly box: ApiBox;
  readonly appliance: Appliance;
  /** The admin's token. */
  readonly admin: string;
  /** Every line that was logged. */
  readonly log: readonly string[];
  readonly #api: RunningApi;
  readonly #folder: string;

  constructor(api: RunningApi, box: ApiBox, appliance: Appliance, admin: string, log: readonly string[], folder: string) {
    this.#api = api;
    this.url = api.url;
    this.box = box;
    this.appliance = appliance;
    this.admin = admin;
    this.log = log;
    this.#folder = folder;
  }

  /** A key of one tenant with these scopes; with all of them unless said. */
  key(tenant: string, scopes: readonly Scope[] = SCOPES, expiresAt: number | null = null): string {
    const { key } = this.appliance.apiKeys.add(tenant, { title: 'test', scopes, expiresAt });
    noteSecret('API key', key);
    return key;
  }

  async ask(method: string, path: string, { as, json, picture, headers = {} }: Asking = {}): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...(as === undefined ? {} : { authorization: `Bearer ${as}` }),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...(picture === undefined ? {} : { 'content-type': 'image/jpeg' }),
        ...headers,
      },
      body: picture ?? (json === undefined ? null : JSON.stringify(json)),
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    const body = isJson ? (JSON.parse(bytes.toString()) as unknown) : undefined;
    noteTold(body, response.headers.getSetCookie());
    return { status: response.status, headers: response.headers, body, bytes };
  }

  get dataDir(): string {
    return join(this.#folder, 'data');
  }

  async stop(): Promise<void> {
    await this.#api.stop();
    await this.box.stop();
    this.appliance.close();
    noteKeyFiles(this.#folder);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** What an answer tells once, to whoever asked for it. */
function noteTold(body: unknown, cookies: readonly string[]): void {
  for (const cookie of cookies) noteSecret('session', cookie.split(';', 1)[0]?.split('=')[1] ?? '');
  for (const name of ['key', 'secret', 'link']) {
    const told = (body as Readonly<Record<string, unknown>> | undefined)?.[name];
    if (typeof told === 'string') noteSecret(name, told);
  }
}

export async function startTestApi({ now = systemClock.now, more = {} }: TestApiOptions = {}): Promise<TestApi> {
  const folder = await mkdtemp(join(tmpdir(), 'securegate-api-'));
  const clock = { ...systemClock, now };
  const appliance = openAppliance(join(folder, 'data'), clock);
  const tokenFile = join(folder, 'admin-token');
  await appliance.admin.ensure(tokenFile);
  const admin = (await readFile(tokenFile, 'utf8')).trim();
  noteSecret('admin token', admin);
  const box = new ApiBox(folder, appliance.box);
  await box.start();
  const log: string[] = [];
  const logger = testLogger('test', (line) => log.push(line));
  const api = await startApi({ box, appliance, listen: { host: '127.0.0.1', port: 0 }, logger, clock, rateLimits: PLENTY, ...more });
  return new TestApi(api, box, appliance, admin, log, folder);
}
