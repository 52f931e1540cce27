import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Api, RouteContext } from '../api.ts';
import { usageQuery, usageSchema } from '../schemas/box.ts';
import { tenantParams } from '../schemas/common.ts';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;
const MOST_DAYS = 400;

export function addUsageRoute(api: Api, { box, clock }: RouteContext): void {
  api.route({
    method: 'GET',
    url: '/v1/tenants/:tenant/usage',
    config: { access: 'usage:read' },
    schema: {
      summary: `What was counted on each day (UTC), ${DEFAULT_DAYS} days up to today unless said`,
      tags: ['usage'],
      params: tenantParams,
      querystring: usageQuery,
      response: { 200: usageSchema },
    },
    handler: async ({ params, query }) => {
      const to = query.to ?? dayOf(clock.now());
      const from = query.from ?? dayOf(Date.parse(to) - (DEFAULT_DAYS - 1) * DAY_MS);
      const days = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
      if (days < 1 || days > MOST_DAYS) {
        throw new SecureGateError('invalid_request', `Between 1 and ${MOST_DAYS} days can be asked for`, {
          details: { fields: [{ path: 'querystring.from', message: 'not within these days before `to`' }] },
        });
      }
      return { days: await box.tenants.vault(params.tenant).usage({ from, to }) };
    },
  });
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
