import { z } from 'zod';
import { noContent } from '../../../shared/http/answers.ts';
import { pageOf, pageQuery } from '../../../shared/http/common.ts';
import { idempotencyHeaders, versionHeaders } from '../../../shared/http/headers.ts';
import { expectedVersion, setVersion } from '../../../shared/http/versions.ts';
import { newId } from '../../../shared/ids/ids.ts';
import type { VaultClient, VaultRecord } from '../../vault/client.ts';
import type { Api, RouteContext } from '../api.ts';
import { leaveRoom } from '../leave-room.ts';
import { tenantParams } from '../schemas/common.ts';
import { recordParams, VENUE_RECORDS } from '../schemas/venue.ts';
import { viewSchemas } from '../schemas/venue-views.ts';

const KINDS = ['events', 'rooms', 'attendees', 'watchlists'] as const;
type Kind = (typeof KINDS)[number];

/** The same five routes for each kind of record that the vault keeps as it is given. */
export function addVenueRecordRoutes(api: Api, context: RouteContext): void {
  for (const kind of KINDS) addRoutesOf(kind, api, context);
}

function addRoutesOf(kind: Kind, api: Api, { box, idempotency }: RouteContext): void {
  const dataSchema = VENUE_RECORDS[kind];
  const viewSchema = viewSchemas[kind];
  const url = `/v1/tenants/:tenant/${kind}`;
  const tags = [kind];
  // What the vault keeps was checked when it came; an older version of the schema may have let more through.
  const viewOf = ({ id, version, data }: VaultRecord) => viewSchema.parse({ ...dataSchema.parse(data), id, version });

  api.route({
    method: 'GET',
    url,
    config: { access: 'venue:read' },
    schema: {
      summary: `List ${kind}, the newest first`,
      tags,
      params: tenantParams,
      querystring: pageQuery,
      response: { 200: pageOf(viewSchema) },
    },
    handler: async ({ params, query }) => {
      const { items, next } = await box.tenants.vault(params.tenant).listRecords(kind, query);
      return { items: items.map(viewOf), next };
    },
  });

  api.route({
    method: 'POST',
    url,
    config: { access: 'venue:write' },
    schema: {
      headers: idempotencyHeaders,
      summary: `Add to ${kind}`,
      tags,
      params: tenantParams,
      body: dataSchema,
      response: { 201: viewSchema },
    },
    handler: async (request, reply) => {
      const { tenant } = request.params;
      const vault = box.tenants.vault(tenant);
      const record = await idempotency.once(request, newId('record'), {
        make: async (id) => {
          await requireReferences(vault, request.body);
          await vault.addRecord(kind, request.body, { id, customerId: customerOf(request.body) });
        },
        read: async (id) => viewOf(await vault.getRecord(kind, id)),
      });
      setVersion(reply, record.version);
      reply.header('location', `/v1/tenants/${tenant}/${kind}/${record.id}`);
      return reply.code(201).send(record);
    },
  });

  api.route({
    method: 'GET',
    url: `${url}/:id`,
    config: { access: 'venue:read' },
    schema: { summary: `Read one of ${kind}`, tags, params: recordParams, response: { 200: viewSchema } },
    handler: async ({ params }, reply) => {
      const record = viewOf(await box.tenants.vault(params.tenant).getRecord(kind, params.id));
      setVersion(reply, record.version);
      return record;
    },
  });

  api.route({
    method: 'PUT',
    url: `${url}/:id`,
    config: { access: 'venue:write' },
    schema: {
      headers: versionHeaders,
      summary: `Replace one of ${kind}`,
      tags,
      params: recordParams,
      body: dataSchema,
      response: { 200: viewSchema },
    },
    handler: async (request, reply) => {
      const { tenant, id } = request.params;
      const { body } = request;
      const vault = box.tenants.vault(tenant);
      const expected = expectedVersion(request);
      await requireReferences(vault, body);
      const { version } = await vault.changeRecord(kind, id, body, expected, customerOf(body));
      setVersion(reply, version);
      return viewSchema.parse({ ...body, id, version });
    },
  });

  api.route({
    method: 'DELETE',
    url: `${url}/:id`,
    config: { access: 'venue:write' },
    schema: {
      headers: versionHeaders,
      summary: `Remove one of ${kind}${kind === 'rooms' ? '; its cameras and events stay, without a room' : ''}`,
      tags,
      params: recordParams,
      response: { 204: noContent },
    },
    handler: async (request, reply) => {
      const { tenant, id } = request.params;
      await box.tenants.vault(tenant).removeRecord(kind, id, expectedVersion(request));
      if (kind === 'rooms') await leaveRoom(box, tenant, id);
      return reply.code(204).send();
    },
  });
}

/** What a record of any kind can refer to. */
const referencesSchema = z.object({ customerId: z.string().optional(), eventId: z.string().optional(), roomId: z.string().optional() });

function customerOf(data: object): string | undefined {
  return referencesSchema.parse(data).customerId;
}

/** @throws {SecureGateError} `record_not_found` for an event or a room that is not there */
async function requireReferences(vault: VaultClient, data: object): Promise<void> {
  const { eventId, roomId } = referencesSchema.parse(data);
  if (eventId !== undefined) await vault.getRecord('events', eventId);
  if (roomId !== undefined) await vault.getRecord('rooms', roomId);
}
