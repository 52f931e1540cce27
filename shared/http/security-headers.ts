import type { OutgoingHttpHeaders } from 'node:http';
import helmet, { type FastifyHelmetOptions } from '@fastify/helmet';
import Fastify from 'fastify';
import type { HttpApi } from './http-api.ts';

const SELF = ["'self'"];
const NONE = ["'none'"];

/** The page runs its own scripts and talks to its own box, and nothing else. */
const PAGES = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: NONE,
      scriptSrc: SELF,
      styleSrc: SELF,
      fontSrc: SELF,
      imgSrc: [...SELF, 'blob:', 'data:'],
      connectSrc: SELF,
      manifestSrc: SELF,
      baseUri: NONE,
      formAction: NONE,
      frameAncestors: NONE,
    },
  },
  referrerPolicy: { policy: 'no-referrer' },
  xFrameOptions: { action: 'deny' },
} satisfies FastifyHelmetOptions;

/**
 * JSON is never shown as anything else, in no frame, and runs nothing. The rest of what there is for pages (windows, referrers, downloads, lookups of
 * names, what old browsers did) says nothing about it, and takes time of each answer.
 */
const NO_PAGES = {
  contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: NONE, frameAncestors: NONE } },
  crossOriginOpenerPolicy: false,
  crossOriginResourcePolicy: false,
  originAgentCluster: false,
  referrerPolicy: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
} satisfies FastifyHelmetOptions;

export interface SecurityHeaders {
  readonly tls: boolean;
  /** Whether it serves pages, and not just what programs read. */
  readonly pages: boolean;
}

/** Guards every answer, also a refusal; none that could hold a person is ever cached. */
export async function addSecurityHeaders(api: HttpApi, { tls, pages }: SecurityHeaders): Promise<void> {
  const strictTransportSecurity = tls && { maxAge: 31_536_000 };
  const headers = { 'cache-control': 'no-store', ...(await headersBy({ ...(pages ? PAGES : NO_PAGES), strictTransportSecurity })) };
  api.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
}

/** The same for every answer: helmet puts them together for one that goes nowhere. For each, that would take longer than many an answer does. */
async function headersBy(options: FastifyHelmetOptions): Promise<OutgoingHttpHeaders> {
  let headers: OutgoingHttpHeaders = {};
  const nowhere = Fastify();
  await nowhere.register(helmet, options);
  nowhere.get('/', async (_request, reply) => {
    headers = reply.raw.getHeaders();
  });
  await nowhere.inject().get('/').end();
  return { ...headers };
}
