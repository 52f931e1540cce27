import type { HttpApi } from '../../shared/http/http-api.ts';
import type { Idempotency } from '../../shared/http/idempotency.ts';
import type { Appliance } from '../appliance/open-appliance.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Authenticator } from './auth/authenticator.ts';
import type { Access, Principal } from './auth/principal.ts';
import type { BoxPort } from './ports.ts';
import type { StillPictures } from './still-pictures.ts';
import type { OpenStreams } from './streams/open-streams.ts';

/** The HTTP server with its schemas. */
export type Api = HttpApi;

/** What the routes work with. */
export interface RouteContext {
  readonly box: BoxPort;
  readonly appliance: Appliance;
  readonly clock: Clock;
  readonly authenticator: Authenticator;
  readonly idempotency: Idempotency;
  readonly streams: OpenStreams;
  readonly stills: StillPictures;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route must say who may call it. */
    access?: Access;
    /** Tenants that a request is about whose path names none, from its query; empty where the query is not valid. */
    tenantsOf?: (query: unknown) => readonly string[];
    /** Content type of an answer that is not JSON. */
    gives?: string;
    /** The body is a picture. */
    takesPicture?: true;
  }
  interface FastifyRequest {
    /** Who asks; undefined on public routes alone. */
    principal: Principal | undefined;
  }
}
