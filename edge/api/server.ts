import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createSecureContext } from 'node:tls';
import cookie from '@fastify/cookie';
import Fastify, { LogController } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import { isLoopback } from '../../shared/net/is-loopback.ts';
import type { Appliance } from '../appliance/open-appliance.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Api, RouteContext } from './api.ts';
import { type Admit, createAdmit } from './auth/admit.ts';
import { Authenticator } from './auth/authenticator.ts';
import { authorise } from './auth/authorise.ts';
import { Idempotency } from './idempotency.ts';
import { limitConnections } from './limit-connections.ts';
import { addAccess } from './plugins/access.ts';
import { addConsole } from './plugins/console.ts';
import { addHostCheck } from './plugins/host-check.ts';
import { addOpenApi } from './plugins/openapi.ts';
import { addProblems, answerClientError, sendFrameworkProblem } from './plugins/problems.ts';
import { addRateLimits, type RateLimits } from './plugins/rate-limits.ts';
import { addRequestLog } from './plugins/request-log.ts';
import { addSecurityHeaders } from './plugins/security-headers.ts';
import type { BoxPort } from './ports.ts';
import { addRoutes } from './routes/add-routes.ts';
import { StillPictures } from './still-pictures.ts';
import { OpenStreams, type StreamLimits } from './streams/open-streams.ts';

const MOST_JSON_BYTES = 128 * 1024;
const MOST_CONNECTIONS = 1024;
const MOST_CONNECTIONS_EACH = 256;
const STREAM_LIMITS: StreamLimits = { most: 64, mostEach: 32 };
/** A client that keeps the box waiting holds a connection for no longer than this. */
const TIMEOUTS: Timeouts = { headersMs: 10_000, requestMs: 60_000, idleMs: 60_000 };

export interface Timeouts {
  /** For the TLS handshake, and for the request's headers. */
  readonly headersMs: number;
  /** For the whole request. */
  readonly requestMs: number;
  /** While nothing goes either way, also because the client does not take its answer. */
  readonly idleMs: number;
}

export interface ApiOptions {
  readonly box: BoxPort;
  readonly appliance: Appliance;
  /** `tls`: files of the certificate chain and of its private key, PEM. */
  readonly listen: {
    readonly host: string;
    readonly port: number;
    readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  };
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
  const { box, appliance, listen, consoleDir, clock } = options;
  const { host, port, tls } = listen;
  if (tls === undefined && !isLoopback(host)) {
    throw new SecureGateError('config_invalid', 'Plain HTTP is served on loopback only', { details: { host } });
  }
  const api = createApi(options);
  const { authenticator, admit } = await addPlugins(api, options);
  const streams = new OpenStreams(STREAM_LIMITS, admit);
  const idempotency = new Idempotency(appliance.idempotency);
  const context: RouteContext = { box, appliance, clock, authenticator, idempotency, streams, stills: new StillPictures(box.faces) };
  addRoutes(api, context);
  if (consoleDir !== undefined) await addConsole(api, consoleDir);
  try {
    const listening: Promise<string> = api.listen({ host, port });
    await listening;
  } catch (error) {
    await api.close();
    throw new SecureGateError('config_invalid', 'The API cannot listen there', { cause: error, details: { host, port } });
  }
  const { port: given } = api.server.address() as AddressInfo;
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${name}:${given}`,
    stop: async () => {
      streams.closeAll();
      await api.close();
    },
  };
}

function createApi({ listen: { tls }, logger, timeouts = TIMEOUTS }: ApiOptions): Api {
  const api = Fastify({
    serverFactory: (handler) => createServer(tls, timeouts, handler),
    loggerInstance: logger.child({ component: 'api' }),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    bodyLimit: MOST_JSON_BYTES,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    frameworkErrors: sendFrameworkProblem,
    clientErrorHandler: answerClientError,
  }).withTypeProvider<ZodTypeProvider>();
  return api.setValidatorCompiler(validatorCompiler).setSerializerCompiler(serializerCompiler);
}

async function addPlugins(api: Api, options: ApiOptions): Promise<{ authenticator: Authenticator; admit: Admit }> {
  const { box, appliance, listen, rateLimits } = options;
  addProblems(api);
  addRequestLog(api);
  await addSecurityHeaders(api, { tls: listen.tls !== undefined });
  if (listen.tls === undefined) addHostCheck(api);
  await api.register(cookie);
  const authenticator = new Authenticator(appliance, await addRateLimits(api, rateLimits));
  const admit = createAdmit(authenticator, authorise);
  addAccess(api, admit);
  await addOpenApi(api, box.version);
  return { authenticator, admit };
}

function createServer(tls: ApiOptions['listen']['tls'], { headersMs, requestMs, idleMs }: Timeouts, handler: RequestListener): Server {
  const limits = {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.min(headersMs, 1000),
    keepAlive: true,
  };
  const server =
    tls === undefined
      ? createHttpServer(limits, handler)
      : createHttpsServer({ ...limits, handshakeTimeout: headersMs, ...readTls(tls) }, handler);
  server.maxConnections = MOST_CONNECTIONS;
  server.timeout = idleMs;
  limitConnections(server, MOST_CONNECTIONS_EACH);
  return server;
}

function readTls({ cert, key }: { cert: string; key: string }): { cert: Buffer; key: Buffer; minVersion: 'TLSv1.2' } {
  try {
    const pair = { cert: readFileSync(cert), key: readFileSync(key) };
    createSecureContext(pair);
    return { ...pair, minVersion: 'TLSv1.2' };
  } catch (error) {
    throw new SecureGateError('config_invalid', 'The certificate of the API cannot be read, or its key belongs to another one', {
      cause: error,
      details: { cert, key },
    });
  }
}
