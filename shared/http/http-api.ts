import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { ErrorCode } from '../errors/codes.ts';
import type { Logger } from '../log/create-logger.ts';

/** An HTTP server with its schemas. */
export type HttpApi = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, Logger, ZodTypeProvider>;

declare module 'fastify' {
  interface FastifyRequest {
    /** The route that it takes. Fastify puts its own `routeOptions` together anew each time that it is asked. */
    route: FastifyRequest['routeOptions'];
    /** Why it was refused. */
    refusal: ErrorCode | undefined;
  }
}
