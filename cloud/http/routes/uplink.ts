import { z } from 'zod';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { boxTelemetrySchema } from '../../fleet/intake/box-telemetry.ts';
import { sightingCountsSchema } from '../../fleet/intake/sighting-counts.ts';
import { usageDaysSchema } from '../../fleet/intake/usage.ts';
import type { AddRoutes } from '../cloud-api.ts';
import { deviceParams } from './devices.ts';
import { tenantParams } from './tenants.ts';

const DAY_MS = 86_400_000;
const MOST_DAYS = 400;
const MOST_DAYS_BY_HOUR = 31;

const days = z.strictObject({ from: z.iso.date().describe('UTC.'), to: z.iso.date().describe('Included.') });
const countsQuery = days.extend({
  per: z
    .enum(['day', 'hour'])
    .default('day')
    .describe(`Hours are told of ${MOST_DAYS_BY_HOUR} days at most, as far back as the tenant keeps sightings.`),
});

export const addUplinkRoutes: AddRoutes = (api, { intake, tenants }) => {
  const { sightingCounts, usage, telemetries } = intake;
  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/tenants/:tenant/sighting-counts',
    config: { operation: 'sighting-counts.read' },
    schema: {
      tags: ['tenants'],
      params: tenantParams,
      querystring: countsQuery,
      response: { 200: sightingCountsSchema },
    },
    handler: async ({ params: { org, tenant }, query: { per, ...span } }) => {
      requireDays(span, per === 'hour' ? MOST_DAYS_BY_HOUR : MOST_DAYS);
      await tenants.get(org, tenant);
      return { counts: await (per === 'hour' ? sightingCounts.perHour(org, tenant, span) : sightingCounts.perDay(org, tenant, span)) };
    },
  });

  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/tenants/:tenant/usage',
    config: { operation: 'usage.read' },
    schema: {
      tags: ['tenants'],
      params: tenantParams,
      querystring: days,
      response: { 200: usageDaysSchema },
    },
    handler: async ({ params: { org, tenant }, query }) => {
      requireDays(query, MOST_DAYS);
      await tenants.get(org, tenant);
      return { days: await usage.between(org, tenant, query) };
    },
  });

  api.route({
    method: 'GET',
    url: '/v1/orgs/:org/devices/:id/telemetry',
    config: { operation: 'telemetry.read' },
    schema: { tags: ['devices'], params: deviceParams, response: { 200: boxTelemetrySchema } },
    handler: async ({ params }) => await telemetries.newest(params.org, params.id),
  });
};

/** @throws {SecureGateError} `invalid_request` */
function requireDays({ from, to }: z.output<typeof days>, most: number): void {
  const asked = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
  if (asked >= 1 && asked <= most) return;
  throw new SecureGateError('invalid_request', `Between 1 and ${most} days can be asked for`, {
    details: { fields: [{ path: 'querystring.from', message: 'not within these days before `to`' }] },
  });
}
