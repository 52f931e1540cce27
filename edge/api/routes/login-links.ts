import type { Api, RouteContext } from '../api.ts';
import { loginLinkSchema } from '../schemas/box.ts';

export function addLoginLinkRoute(api: Api, { appliance }: RouteContext): void {
  api.route({
    method: 'POST',
    url: '/v1/login-links',
    config: { access: 'admin' },
    schema: {
      summary: 'Make a login link: it begins one browser session, within ten minutes',
      tags: ['session'],
      response: { 201: loginLinkSchema },
    },
    handler: async (_request, reply) => {
      const { link, expiresAt } = appliance.loginLinks.add();
      return reply.code(201).send({ link, expiresAt: new Date(expiresAt).toISOString() });
    },
  });
}
