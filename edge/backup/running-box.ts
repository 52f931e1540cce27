import { readFile } from 'node:fs/promises';
import { get as getByHttp, type IncomingMessage } from 'node:http';
import { get as getByHttps } from 'node:https';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { idSchema, slugSchema } from '../../shared/ids/ids.ts';
import type { BackupSource } from './backup-source.ts';

/** Wherever the API listens, it is reached on this machine. */
const LOCAL: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

export interface RunningBoxOptions {
  readonly api: { readonly host: string; readonly port: number; readonly tls?: { readonly cert: string } | undefined };
  readonly tokenFile: string;
}

const systemSchema = z.object({ box: idSchema('box') });
const tenantsSchema = z.object({
  items: z.array(
    z.object({
      id: slugSchema,
      org: slugSchema,
      matchThreshold: z.number().nullable(),
      unmatchedTtlMs: z.number(),
      sightingsDays: z.number(),
      fixed: z.boolean(),
    }),
  ),
});
const problemSchema = z.object({ code: z.string(), detail: z.string(), details: z.record(z.string(), z.unknown()) });

/** A box whose daemon runs: it is asked by its API. */
export class RunningBox implements BackupSource {
  readonly #options: RunningBoxOptions;
  #token = '';
  #box = '';
  #tenants: BackupSource['tenants'] = [];

  constructor(options: RunningBoxOptions) {
    this.#options = options;
  }

  get box(): string {
    return this.#box;
  }

  get tenants(): BackupSource['tenants'] {
    return this.#tenants;
  }

  /** @throws {SecureGateError} `file_unreadable` (no admin token), `config_invalid` (its port is not known),
   * `box_unreachable`, `unauthenticated` */
  async open(): Promise<void> {
    const { tokenFile, api } = this.#options;
    if (api.port === 0) throw new SecureGateError('config_invalid', 'The box takes any free port: name one, so that it can be reached');
    this.#token = await readFile(tokenFile, 'utf8').then(
      (text) => text.trim(),
      (cause: unknown) => {
        throw new SecureGateError('file_unreadable', 'The admin token cannot be read', { cause, details: { tokenFile } });
      },
    );
    this.#box = systemSchema.parse(await json(await this.#get('/v1/system'))).box;
    const { items } = tenantsSchema.parse(await json(await this.#get('/v1/tenants')));
    this.#tenants = items.map(({ id, org, fixed, ...policy }) => ({ id, org, policy: fixed ? null : policy }));
  }

  async *data(tenant: string): AsyncGenerator<Buffer> {
    const answer = await this.#get(`/v1/tenants/${tenant}/backup`);
    try {
      yield* answer;
    } catch (cause) {
      throw new SecureGateError('copy_outdated', 'The box broke off', { cause });
    }
  }

  async #get(path: string): Promise<IncomingMessage> {
    const { host, port, tls } = this.#options.api;
    const target = { host: LOCAL[host] ?? host, port, path, headers: { authorization: `Bearer ${this.#token}` } };
    const answered = Promise.withResolvers<IncomingMessage>();
    // Whatever names are in the certificate: it has to be the one that the configuration gives to this box.
    const request =
      tls === undefined
        ? getByHttp(target, answered.resolve)
        : getByHttps(
            { ...target, ca: await readFile(tls.cert), allowPartialTrustChain: true, checkServerIdentity: () => undefined },
            answered.resolve,
          );
    request.once('error', (cause) => {
      answered.reject(new SecureGateError('box_unreachable', 'The API of the box does not answer', { cause, details: { host, port } }));
    });
    const answer = await answered.promise;
    if (answer.statusCode === 200) return answer;
    const { code, detail, details } = problemSchema.parse(await json(answer));
    throw SecureGateError.fromJSON({ code, message: detail, details });
  }
}
