import helmet from '@fastify/helmet';
import type { HttpApi } from './http-api.ts';

const SELF = ["'self'"];
const NONE = ["'none'"];

/** The page runs its own scripts and talks to its own box, and nothing else; no answer that could hold a person is ever cached. */
export async function addSecurityHeaders(api: HttpApi, { tls }: { readonly tls: boolean }): Promise<void> {
  await api.register(helmet, {
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
    strictTransportSecurity: tls && { maxAge: 31_536_000 },
    xFrameOptions: { action: 'deny' },
  });
  api.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
  });
}
