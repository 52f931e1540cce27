import type { Server } from 'node:https';
import { createHttpApi, listen } from '../../../shared/http/create-http-api.ts';
import type { HttpApi } from '../../../shared/http/http-api.ts';
import { addProblems } from '../../../shared/http/problems.ts';
import { addRequestLog } from '../../../shared/http/request-log.ts';
import { networkOfRequest, requestsAMinute } from '../../../shared/http/requests-a-minute.ts';
import { addSecurityHeaders } from '../../../shared/http/security-headers.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import type { OwnCredentials } from '../pki/own-identity.ts';
import { addEstRoutes, type EstContext } from './est-routes.ts';
import { addLinkRoutes, type LinkContext } from './link-routes.ts';
import { addMessageRoutes, type MessageContext } from './message-routes.ts';
import { networkOrCertificate } from './shown-certificate.ts';

/** Requests a minute. */
export interface EstRateLimits {
  readonly perAddress: number;
  readonly perBox: number;
  readonly wrongTokens: number;
}

export interface EstServerOptions {
  readonly context: EstContext & LinkContext & MessageContext;
  readonly listen: { readonly host: string; readonly port: number };
  readonly rateLimits: EstRateLimits;
  /** Milliseconds. */
  readonly monotonic: () => number;
  readonly logger: Logger;
}

/**
 * Where boxes enrol and renew their certificates: EST (RFC 7030) over TLS, with the certificate of whoever has one; and where they speak when
 * MQTT does not reach them. It listens also
 * while there is no certificate to show, and speaks TLS from then on.
 */
export class EstServer {
  readonly #options: EstServerOptions;
  #api: HttpApi | undefined;
  #url = '';

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
  }

  async stop(): Promise<void> {
    await this.#api?.close();
  }

  /** Shows these from now on. */
  show({ ca, ...credentials }: OwnCredentials): void {
    const server = this.#api?.server as Server | undefined;
    server?.setSecureContext({ ...credentials, ca: [...ca] });
  }

  async #addParts(api: HttpApi): Promise<void> {
    const { context, rateLimits, monotonic } = this.#options;
    addProblems(api);
    addRequestLog(api, () => ({}));
    await addSecurityHeaders(api, { tls: true, pages: false });
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
    addMessageRoutes(api, context);
  }
}
