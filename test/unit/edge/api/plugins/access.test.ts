import Fastify from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { expect, test } from 'vitest';
import type { Api } from '../../../../../edge/api/api.ts';
import { createAdmit } from '../../../../../edge/api/auth/admit.ts';
import { Authenticator } from '../../../../../edge/api/auth/authenticator.ts';
import { authorise } from '../../../../../edge/api/auth/authorise.ts';
import { addAccess } from '../../../../../edge/api/plugins/access.ts';
import { openAppliance } from '../../../../../edge/appliance/open-appliance.ts';
import { createLogger } from '../../../../../shared/log/create-logger.ts';
import { tempFolder } from '../../../../helpers/temp-folder.ts';

test('a route that does not say who may call it cannot exist', async () => {
  const appliance = openAppliance(await tempFolder());
  const api: Api = Fastify({ loggerInstance: createLogger('test', { level: 'silent' }) }).withTypeProvider<ZodTypeProvider>();
  try {
    addAccess(api, createAdmit(new Authenticator(appliance, async () => undefined, undefined), authorise, { list: () => [] }));
    expect(() => api.get('/open', async () => 'x')).toThrow('Route GET /open does not say who may call it');
    api.get('/healthz', { config: { access: 'public' } }, async () => 'x');
  } finally {
    await api.close();
    appliance.close();
  }
});
