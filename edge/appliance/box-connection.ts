import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request as requestByHttp } from 'node:http';
import { request as requestByHttps } from 'node:https';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';

/** Wherever the API listens, it is reached on this machine. */
const LOCAL: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
/** Longest silence of the box: opening a large vault takes its time. */
const PATIENCE_MS = 120_000;

const problemSchema = z.object({ code: z.string(), detail: z.string(), details: z.record(z.string(), z.unknown()) });

export interface BoxConnectionOptions {
  readonly api: { readonly host: string; readonly port: number; readonly tls?: { readonly cert: string } | undefined };
  /** Holds the admin token; its owner is the user of the box. */
  readonly tokenFile: string;
}

/** The API of the box that runs on this machine, as its admin. */
export class BoxConnection {
  readonly #options: BoxConnectionOptions;
  #token = '';

  constructor(options: BoxConnectionOptions) {
    this.#options = options;
  }

  /** @throws {SecureGateError} `file_unreadable` (no admin token), `config_invalid` (its port is not known) */
  async open(): Promise<void> {
    const { tokenFile, api } = this.#options;
    if (api.port === 0) throw new SecureGateError('config_invalid', 'The box takes any free port: name one, so that it can be reached');
    this.#token = await readFile(tokenFile, 'utf8').then(
      (text) => text.trim(),
      (cause: unknown) => {
        throw new SecureGateError(
          'file_unreadable',
          'The admin token cannot be read; where it lies elsewhere, name its file: --token-file',
          { cause, details: { tokenFile } },
        );
      },
    );
  }

  /** @throws {SecureGateError} the box's own, `box_unreachable` */
  async ask(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<unknown> {
    return await json(await this.answer(method, path, body));
  }

  /** An answer that the caller reads to its end. @throws {SecureGateError} the box's own, `box_unreachable` */
  async answer(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<IncomingMessage> {
    const { host, port, tls } = this.#options.api;
    const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers = {
      authorization: `Bearer ${this.#token}`,
      ...(content === undefined ? {} : { 'content-type': 'application/json', 'content-length': content.length }),
    };
    const target = { host: LOCAL[host] ?? host, port, path, method, headers, timeout: PATIENCE_MS };
    const answered = Promise.withResolvers<IncomingMessage>();
    // Whatever names are in the certificate: it has to be the one that the configuration gives to this box.
    const request =
      tls === undefined
        ? requestByHttp(target, answered.resolve)
        : requestByHttps(
            { ...target, ca: await readFile(tls.cert), allowPartialTrustChain: true, checkServerIdentity: () => undefined },
            answered.resolve,
          );
    request.once('timeout', () => request.destroy(new Error('No answer in time')));
    request.once('error', (cause) => {
      answered.reject(new SecureGateError('box_unreachable', 'The API of the box does not answer', { cause, details: { host, port } }));
    });
    request.end(content);
    const answer = await answered.promise;
    const { statusCode = 0 } = answer;
    if (statusCode >= 200 && statusCode < 300) return answer;
    const { code, detail, details } = problemSchema.parse(await json(answer));
    throw SecureGateError.fromJSON({ code, message: detail, details });
  }
}
