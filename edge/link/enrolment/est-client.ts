import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { DEVICE_STATEMENT_HEADER } from '../../../shared/fleet/device-statement.ts';
import { type Link, linkSchema } from '../../../shared/fleet/enrolment.ts';
import { X509Certificates } from '../../../shared/fleet/x509.ts';
import { type ToldRecoveries, toldRecoveriesSchema } from '../../../shared/lease/recovery.ts';
import { refusalIn } from './refusal-in.ts';
import { type ClientCredentials, sendRequest } from './send-request.ts';

const MOST_CHARACTERS = 512 * 1024;
const REQUEST_TYPE = 'application/pkcs10';

export interface EstClientOptions {
  /** Of the control plane's server for boxes. */
  readonly cloud: string;
  /** PEM. Without them, anybody is talked to: for requests whose answers are checked otherwise. */
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

  /** @param followed id of the newest recovery that this box has followed */
  async recoveries(followed: string | undefined): Promise<ToldRecoveries> {
    const query = followed === undefined ? '' : `?followed=${followed}`;
    const parsed = toldRecoveriesSchema.safeParse(JSON.parse(await this.#ask('GET', `/v1/link/recoveries${query}`)));
    if (!parsed.success) throw unavailable('What answers here is no control plane', parsed.error);
    return parsed.data;
  }

  async leave(): Promise<void> {
    await this.#ask('DELETE', '/v1/link');
  }

  async #ask(method: string, path: string, { headers = {}, body = '' }: Sent = {}): Promise<string> {
    const { cloud, ...who } = this.#options;
    const { status, text } = await sendRequest(new URL(path, cloud), { method, headers, body, ...who, mostCharacters: MOST_CHARACTERS });
    if (status >= 200 && status < 300) return text;
    throw refusalIn(text) ?? unavailable(`The control plane answered with ${status}`);
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

function unavailable(message: string, cause?: unknown): SecureGateError {
  return new SecureGateError('cloud_unavailable', message, { cause });
}
