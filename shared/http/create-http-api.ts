import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import Fastify, { LogController } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { SecureGateError } from '../errors/securegate-error.ts';
import type { Logger } from '../log/create-logger.ts';
import { isLoopback } from '../net/is-loopback.ts';
import { cannotListen } from './cannot-listen.ts';
import type { Certificates } from './certificates.ts';
import { compileSerializer, compileValidator } from './compile-schemas.ts';
import { createHttpServer, type MutualTls, type Timeouts } from './create-http-server.ts';
import type { HttpApi } from './http-api.ts';
import { answerClientError, sendFrameworkProblem } from './problems.ts';

const MOST_JSON_BYTES = 128 * 1024;
const TIMEOUTS: Timeouts = { headersMs: 10_000, requestMs: 60_000, idleMs: 60_000 };

export interface HttpApiOptions {
  /** Without it, plain HTTP. */
  readonly certificates: Certificates | MutualTls | undefined;
  readonly timeouts?: Timeouts | undefined;
  readonly logger: Logger;
}

/** An HTTP server that checks what comes in and what goes out against the schemas of its routes. */
export function createHttpApi({ certificates, timeouts = TIMEOUTS, logger }: HttpApiOptions): HttpApi {
  const api = Fastify({
    serverFactory: (handler) => createHttpServer(certificates, timeouts, handler),
    loggerInstance: logger.child({ component: 'api' }),
    // One for all: to make one for each request takes as long as its line. Whoever writes a line names the request.
    childLoggerFactory: (parent) => parent,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    bodyLimit: MOST_JSON_BYTES,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    frameworkErrors: sendFrameworkProblem,
    clientErrorHandler: answerClientError,
  }).withTypeProvider<ZodTypeProvider>();
  api.decorateRequest('route');
  api.addHook('onRequest', (request, reply, done) => {
    request.route = request.routeOptions;
    reply.header('x-request-id', request.id);
    done();
  });
  return api.setValidatorCompiler(compileValidator).setSerializerCompiler(compileSerializer);
}

/** @throws {SecureGateError} `config_invalid` */
export function requireTlsBeyondLoopback(host: string, tls: object | undefined): void {
  if (tls === undefined && !isLoopback(host)) {
    throw new SecureGateError('config_invalid', 'Plain HTTP is served on loopback only', { details: { host } });
  }
}

/**
 * Starts to listen; closes the server when that fails.
 * @returns where it is reached, without a slash at the end
 * @throws {SecureGateError} `config_invalid` when the address cannot be had
 */
export async function listen(api: HttpApi, host: string, port: number, tls: object | undefined): Promise<string> {
  try {
    const listening: Promise<string> = api.listen({ host, port });
    await listening;
  } catch (error) {
    await api.close();
    throw cannotListen(host, port, error);
  }
  const { port: given } = api.server.address() as AddressInfo;
  const name = host.includes(':') ? `[${host}]` : host;
  return `${tls === undefined ? 'http' : 'https'}://${name}:${given}`;
}
