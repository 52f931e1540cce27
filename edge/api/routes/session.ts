import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { noContent } from '../../../shared/http/answers.ts';
import type { Api, RouteContext } from '../api.ts';
import { sessionCookie } from '../auth/session-cookie.ts';
import { logInSchema, sessionSchema } from '../schemas/box.ts';

export function addSessionRoutes(api: Api, { appliance, authenticator, streams }: RouteContext): void {
  const sessionUntil = (expiresAt: number) => ({ subject: 'admin' as const, expiresAt: new Date(expiresAt).toISOString() });

  api.route({
    method: 'POST',
    url: '/v1/session',
    config: { access: 'public' },
    schema: {
      summary: 'Begin a browser session with the admin token or a login link, which is used up by it',
      tags: ['session'],
      body: logInSchema,
      response: { 201: sessionSchema },
    },
    handler: async (request, reply) => {
      const { body } = request;
      const known =
        'token' in body ? await authenticator.isAdminToken(request, body.token) : await authenticator.isLoginLink(request, body.link);
      if (!known) throw new SecureGateError('unauthenticated', 'This token or link is not valid, or is so no longer');
      const { session, expiresAt } = appliance.sessions.open();
      reply.setCookie(sessionCookie(request), session, {
        httpOnly: true,
        sameSite: 'strict',
        secure: request.protocol === 'https',
        path: '/',
        expires: new Date(expiresAt),
      });
      return reply.code(201).send(sessionUntil(expiresAt));
    },
  });

  api.route({
    method: 'GET',
    url: '/v1/session',
    config: { access: 'session' },
    schema: { summary: 'The session of this browser', tags: ['session'], response: { 200: sessionSchema } },
    handler: async ({ principal }) => {
      const session = principal?.kind === 'admin' ? principal.session : null;
      if (session === null) throw new SecureGateError('unauthenticated', 'There is no session');
      return sessionUntil(session.expiresAt);
    },
  });

  api.route({
    method: 'DELETE',
    url: '/v1/session',
    config: { access: 'session' },
    schema: { summary: 'End the session with what it has open', tags: ['session'], response: { 204: noContent } },
    handler: async (request, reply) => {
      appliance.sessions.close(request.cookies[sessionCookie(request)] ?? '');
      await streams.checkAll();
      return reply
        .clearCookie(sessionCookie(request), { path: '/', secure: request.protocol === 'https' })
        .code(204)
        .send();
    },
  });
}
