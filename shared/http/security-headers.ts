import type { OutgoingHttpHeaders } from 'node:http';
import helmet from '@fastify/helmet';
import type { HttpApi } from './http-api.ts';

const SELF = ["'self'"];
const NONE = ["'none'"];

/** The page runs its own scripts and talks to its own box, and nothing else; no answer that could hold a person is ever cached. */
export async function addSecurityHeaders(api: HttpApi, { tls }: { readonly tls: boolean }): Promise<void> {
  await api.register(helmet, {
    global: false,
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
  // The same for every answer; helmet would put them together anew for each, which takes longer than many an answer does.
  let headers: OutgoingHttpHeaders | undefined;
  api.addHook('onRequest', async (_request, reply) => {
    if (headers === undefined) {
      await reply.helmet();
      headers = { 'cache-control': 'no-store', ...reply.raw.getHeaders() };
    }
    reply.headers(headers);
  });
}
