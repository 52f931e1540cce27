import type { KeyObject } from 'node:crypto';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { ERROR_CODES, type ErrorCode } from '../../../shared/errors/codes.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { DEVICE_STATEMENT_HEADER } from '../../../shared/fleet/device-statement.ts';
import { type Link, linkSchema } from '../../../shared/fleet/enrolment.ts';
import { X509Certificates } from '../../../shared/fleet/x509.ts';

const ANSWER_MS = 30_000;
const MOST_CHARACTERS = 64 * 1024;
const REQUEST_TYPE = 'application/pkcs10';

/** By what the box shows who it is. */
export interface ClientCredentials {
  readonly key: KeyObject;
  /** PEM. */
  readonly certificate: string;
}

export interface EstClientOptions {
  /** Of the control plane's server for boxes. */
  readonly cloud: string;
  /** PEM. Without them, anybody is talked to: for the one request whose answer is checked otherwise. */
  readonly authorities?: readonly string[];
  readonly credentials?: ClientCredentials;
}

interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The box's side of EST (RFC 7030), and of what the control plane tells it about itself. A few requests in days, each with a connection of its own. */
export class EstClient {
  readonly #options: EstClientOptions;

  constructor(options: EstClientOptions) {
    this.#options = options;
  }

  /** Certificates of the authorities, PEM. @throws {SecureGateError} `cloud_unavailable`, and the control plane's own */
  async authorities(): Promise<string[]> {
    return certificatesIn(await this.#ask('GET', '/.well-known/est/cacerts'));
  }

  /** @returns the certificate, PEM */
  async enrol(token: string, statement: string, request: string): Promise<string> {
    const authorization = `Basic ${Buffer.from(`token:${token}`).toString('base64')}`;
    const headers = { authorization, [DEVICE_STATEMENT_HEADER]: statement, 'content-type': REQUEST_TYPE };
    return onlyCertificate(await this.#ask('POST', '/.well-known/est/simpleenroll', { headers, body: request }));
  }

  /** @returns the certificate, PEM */
  async renew(request: string): Promise<string> {
    const headers = { 'content-type': REQUEST_TYPE };
    return onlyCertificate(await this.#ask('POST', '/.well-known/est/simplereenroll', { headers, body: request }));
  }

  async link(): Promise<Link> {
    const parsed = linkSchema.safeParse(JSON.parse(await this.#ask('GET', '/v1/link')));
    if (!parsed.success) throw unavailable('What answers here is no control plane', parsed.error);
    return parsed.data;
  }

  async leave(): Promise<void> {
    await this.#ask('DELETE', '/v1/link');
  }

  async #ask(method: string, path: string, { headers = {}, body = '' }: Sent = {}): Promise<string> {
    const { status, text } = await this.#send(new URL(path, this.#options.cloud), { method, headers }, body);
    if (status >= 200 && status < 300) return text;
    throw refusalIn(text) ?? unavailable(`The control plane answered with ${status}`);
  }

  #send(url: URL, { method, headers = {} }: RequestOptions, body: string): Promise<{ status: number; text: string }> {
    const { authorities, credentials } = this.#options;
    const trust = authorities === undefined ? { rejectUnauthorized: false } : { ca: [...authorities] };
    const own =
      credentials === undefined ? {} : { key: credentials.key.export({ type: 'pkcs8', format: 'pem' }), cert: credentials.certificate };
    return new Promise((resolve, reject) => {
      const fail = (cause: Error): void => reject(unavailable('The control plane cannot be reached, or is another one', cause));
      const signal = AbortSignal.timeout(ANSWER_MS);
      const length = { 'content-length': Buffer.byteLength(body) };
      const sent = httpsRequest(url, { ...trust, ...own, method, agent: false, signal, headers: { ...headers, ...length } }, (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk) => {
          text += String(chunk);
          if (text.length > MOST_CHARACTERS) answer.destroy(new Error('The answer is too long'));
        });
        answer.on('error', fail);
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      });
      sent.on('error', fail);
      sent.end(body);
    });
  }
}

function onlyCertificate(text: string): string {
  const [certificate, ...more] = certificatesIn(text);
  if (certificate === undefined || more.length > 0) throw unavailable('The control plane answered with no certificate');
  return certificate;
}

function certificatesIn(text: string): string[] {
  try {
    return [...new X509Certificates(text.replaceAll(/\s/g, ''))].map((certificate) => `${certificate.toString('pem')}\n`);
  } catch (cause) {
    throw unavailable('The control plane answered with no certificates', cause);
  }
}

/** A refusal is problem details (RFC 9457) with a code of ours. */
function refusalIn(text: string): SecureGateError | undefined {
  try {
    const { code, detail } = JSON.parse(text) as { code: string; detail: string };
    return Object.hasOwn(ERROR_CODES, code) ? new SecureGateError(code as ErrorCode, detail) : undefined;
  } catch {
    return undefined;
  }
}

function unavailable(message: string, cause?: unknown): SecureGateError {
  return new SecureGateError('cloud_unavailable', message, { cause });
}
