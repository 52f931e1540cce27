import type { KeyObject } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

const ANSWER_MS = 30_000;

/** By what the box shows who it is. */
export interface ClientCredentials {
  readonly key: KeyObject;
  /** PEM. */
  readonly certificate: string;
}

export interface Request {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** PEM. Without them, anybody is talked to: for requests whose answers are checked otherwise. */
  readonly authorities?: readonly string[] | undefined;
  readonly credentials?: ClientCredentials | undefined;
  /** Longest answer that is taken, in characters. */
  readonly mostCharacters: number;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly etag: string | undefined;
  readonly text: string;
}

/** Asks the control plane's server for boxes, over a connection of its own. @throws {SecureGateError} `cloud_unavailable` */
export function sendRequest(url: URL, request: Request): Promise<Answer> {
  const { method, headers = {}, body = '', authorities, credentials, mostCharacters, signal } = request;
  const trust = authorities === undefined ? { rejectUnauthorized: false } : { ca: [...authorities] };
  const own =
    credentials === undefined ? {} : { key: credentials.key.export({ type: 'pkcs8', format: 'pem' }), cert: credentials.certificate };
  const late = AbortSignal.timeout(ANSWER_MS);
  const options = {
    ...{ ...trust, ...own, method, agent: false },
    signal: signal ? AbortSignal.any([late, signal]) : late,
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
  };
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void =>
      reject(new SecureGateError('cloud_unavailable', 'The control plane cannot be reached, or is another one', { cause }));
    const sent = httpsRequest(url, options, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk) => {
        text += String(chunk);
        if (text.length > mostCharacters) answer.destroy(new Error('The answer is too long'));
      });
      answer.on('error', fail);
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, etag: answer.headers.etag, text }));
    });
    sent.on('error', fail);
    sent.end(body);
  });
}
