import type { Server } from 'node:https';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { createHttpApi, listen } from '../../../shared/http/create-http-api.ts';
import type { HttpApi } from '../../../shared/http/http-api.ts';
import { addProblems } from '../../../shared/http/problems.ts';
import { addRequestLog } from '../../../shared/http/request-log.ts';
import { networkOfRequest, requestsAMinute } from '../../../shared/http/requests-a-minute.ts';
import { addSecurityHeaders } from '../../../shared/http/security-headers.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import type { ServerIdentity } from '../pki/server-identity.ts';
import { addEstRoutes, type EstContext } from './est-routes.ts';
import { addLinkRoutes, type LinkContext } from './link-routes.ts';
import { networkOrCertificate } from './shown-certificate.ts';

const KEEP_EVERY_MS = 5000;

/** Requests a minute. */
export interface EstRateLimits {
  readonly perAddress: number;
  readonly perBox: number;
  readonly wrongTokens: number;
}

export interface EstServerOptions {
  readonly context: EstContext & LinkContext;
  readonly identity: ServerIdentity;
  readonly listen: { readonly host: string; readonly port: number };
  readonly rateLimits: EstRateLimits;
  /** Milliseconds. */
  readonly monotonic: () => number;
  readonly logger: Logger;
}

/**
 * Where boxes enrol and renew their certificates: EST (RFC 7030) over TLS, with the certificate of whoever has one. It listens also
 * while the KMS is away, and speaks TLS as soon as it has a certificate.
 */
export class EstServer {
  readonly #options: EstServerOptions;
  #api: HttpApi | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #keeping: Promise<void> = Promise.resolve();
  #url = '';
  /** What keeps it from a new certificate, told once. */
  #told: string | undefined;

  constructor(options: EstServerOptions) {
    this.#options = options;
  }

  /** Without a slash at the end. */
  get url(): string {
    return this.#url;
  }

  /** @throws {SecureGateError} `config_invalid` when the address cannot be had */
  async start(): Promise<void> {
    const {
      listen: { host, port },
      logger,
    } = this.#options;
    const certificates = { mutual: true } as const;
    const api = createHttpApi({ certificates, logger });
    this.#api = api;
    await this.#addParts(api);
    this.#url = await listen(api, host, port, certificates);
    await this.#keep();
    this.#keepOn();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#keeping;
    await this.#api?.close();
  }

  /** One look after the other: a KMS that hangs does not make them pile up. */
  #keepOn(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#keeping = this.#keep().then(() => this.#keepOn());
    }, KEEP_EVERY_MS);
  }

  /** Exchanges what will end soon: the authority, and the certificate of this server. */
  async #keep(): Promise<void> {
    const { identity, context, logger } = this.#options;
    try {
      await context.authorities.keep();
      const credentials = await identity.renewed();
      const server = this.#api?.server as Server | undefined;
      if (credentials !== undefined) server?.setSecureContext({ ...credentials, ca: [...credentials.ca] });
      this.#told = undefined;
    } catch (error) {
      const failure = SecureGateError.from(error);
      if (this.#told !== failure.code) logger.warn({ err: failure }, 'the server for boxes has no new certificate yet');
      this.#told = failure.code;
    }
  }

  async #addParts(api: HttpApi): Promise<void> {
    const { context, rateLimits, monotonic } = this.#options;
    addProblems(api);
    addRequestLog(api, () => ({}));
    await addSecurityHeaders(api, { tls: true });
    const limit = requestsAMinute(monotonic);
    const perAddress = limit(rateLimits.perAddress, networkOfRequest);
    const perBox = limit(rateLimits.perBox, networkOrCertificate);
    api.addHook('onRequest', (request, _reply, done) => {
      perAddress(request);
      perBox(request);
      done();
    });
    addEstRoutes(api, context, limit(rateLimits.wrongTokens, networkOfRequest));
    addLinkRoutes(api, context);
  }
}
