import cookie from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import { Certificates } from '../../shared/http/certificates.ts';
import { createHttpApi, listen, requireTlsBeyondLoopback } from '../../shared/http/create-http-api.ts';
import type { Timeouts } from '../../shared/http/create-http-server.ts';
import { Idempotency } from '../../shared/http/idempotency.ts';
import type { ListenConfig } from '../../shared/http/listen-config.ts';
import { addProblems } from '../../shared/http/problems.ts';
import { addRequestLog } from '../../shared/http/request-log.ts';
import { addSecurityHeaders } from '../../shared/http/security-headers.ts';
import { addTenantContext } from '../../shared/http/tenant-context.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { TokenVerifier } from '../../shared/tokens/token-verifier.ts';
import type { Appliance } from '../appliance/open-appliance.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Api, RouteContext } from './api.ts';
import { type Admit, createAdmit } from './auth/admit.ts';
import { Authenticator } from './auth/authenticator.ts';
import { authorise } from './auth/authorise.ts';
import { addAccess } from './plugins/access.ts';
import { addConsole } from './plugins/console.ts';
import { addOpenApi } from './plugins/openapi.ts';
import { addRateLimits, type RateLimits } from './plugins/rate-limits.ts';
import type { BoxPort } from './ports.ts';
import { addRoutes } from './routes/add-routes.ts';
import { StillPictures } from './still-pictures.ts';
import { OpenStreams, type StreamLimits } from './streams/open-streams.ts';

const STREAM_LIMITS: StreamLimits = { most: 64, mostEach: 32 };

export interface ApiOptions {
  readonly box: BoxPort;
  readonly appliance: Appliance;
  /** Access tokens of the control plane; without it, none of them counts. */
  readonly tokens?: TokenVerifier | undefined;
  readonly listen: ListenConfig;
  /** Folder of the built console; without one there is the API alone. */
  readonly consoleDir?: string | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly rateLimits: RateLimits;
  readonly timeouts?: Timeouts;
}

export interface RunningApi {
  /** Where it is reached, without a slash at the end. */
  readonly url: string;
  /** Ends streams and idle connections at once, and waits for requests that are being worked on. */
  stop(): Promise<void>;
}

/**
 * Starts the box's HTTP server.
 * @throws {SecureGateError} `config_invalid` (plain HTTP asked for beyond loopback, certificate unreadable, port taken, no console)
 */
export async function startApi(options: ApiOptions): Promise<RunningApi> {
  const { box, appliance, consoleDir, logger, timeouts, clock } = options;
  const { host, port, tls } = options.listen;
  requireTlsBeyondLoopback(host, tls);
  const certificates = tls && new Certificates(tls, logger);
  const api: Api = createHttpApi({ certificates, timeouts, logger });
  const { authenticator, admit } = await addPlugins(api, certificates, options);
  const streams = new OpenStreams(STREAM_LIMITS, admit);
  const idempotency = new Idempotency(appliance.idempotency, ({ principal }) => principal?.id);
  const context: RouteContext = { box, appliance, clock, authenticator, idempotency, streams, stills: new StillPictures(box.faces) };
  addRoutes(api, context);
  if (consoleDir !== undefined) await addConsole(api, consoleDir);
  const url = await listen(api, host, port, tls);
  return {
    url,
    stop: async () => {
      streams.closeAll();
      await api.close();
    },
  };
}

async function addPlugins(
  api: Api,
  certificates: Certificates | undefined,
  options: ApiOptions,
): Promise<{ authenticator: Authenticator; admit: Admit }> {
  const { box, appliance, listen, rateLimits, clock } = options;
  addProblems(api);
  addRequestLog(api, whoAsks);
  await addSecurityHeaders(api, { tls: certificates !== undefined, pages: true });
  await api.register(cookie);
  const limitWrong = addRateLimits(api, rateLimits, clock.monotonic);
  addTenantContext(api, { certificates, listen, findVenue: (hostname) => box.tenants.byHostname(hostname) });
  const authenticator = new Authenticator(appliance, limitWrong, options.tokens);
  const admit = createAdmit(authenticator, authorise, box.tenants);
  addAccess(api, admit);
  await addOpenApi(api, box.version);
  return { authenticator, admit };
}

function whoAsks({ principal, params }: FastifyRequest): Readonly<Record<string, string>> {
  if (principal === undefined) return {};
  // Of a path that no route has taken the tenant is just somebody's text, but then nobody asks.
  const { tenant } = (params ?? {}) as { readonly tenant?: string };
  return { principal: principal.id, ...(tenant === undefined ? {} : { tenant }) };
}
