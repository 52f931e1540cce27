import { noContent } from '../../../shared/http/answers.ts';
import { pageOf } from '../../../shared/http/common.ts';
import { idempotencyHeaders, versionHeaders } from '../../../shared/http/headers.ts';
import { expectedVersion, setVersion } from '../../../shared/http/versions.ts';
import { newId } from '../../../shared/ids/ids.ts';
import type { CustomerView } from '../../vault/client.ts';
import type { Api, RouteContext } from '../api.ts';
import { customerParams, tenantParams } from '../schemas/common.ts';
import { consentSchema, customerPatchSchema, customerSchema, customersQuery, newCustomerSchema } from '../schemas/people.ts';

const tags = ['customers'];

export function addCustomerRoutes(api: Api, { box, idempotency }: RouteContext): void {
  api.route({
    method: 'GET',
    url: '/v1/tenants/:tenant/customers',
    config: { access: 'people:read' },
    schema: {
      summary: 'Customers, the newest first; `query` is looked for in their names',
      tags,
      params: tenantParams,
      querystring: customersQuery,
      response: { 200: pageOf(customerSchema) },
    },
    handler: async ({ params, query }) => {
      const { items, next } = await box.tenants.vault(params.tenant).listCustomers(query);
      return { items: items.map(viewOf), next };
    },
  });

  api.route({
    method: 'POST',
    url: '/v1/tenants/:tenant/customers',
    config: { access: 'people:write' },
    schema: {
      headers: idempotencyHeaders,
      summary: 'Add a customer with his consent; faces follow one by one',
      tags,
      params: tenantParams,
      body: newCustomerSchema,
      response: { 201: customerSchema },
    },
    handler: async (request, reply) => {
      const { tenant } = request.params;
      const vault = box.tenants.vault(tenant);
      const { consent, ...profile } = request.body;
      const customer = await idempotency.once(request, newId('customer'), {
        make: (customerId) => vault.enrolCustomer({ customerId, profile, consent, faces: [] }),
        read: async (customerId) => viewOf(await vault.getCustomer(customerId)),
      });
      setVersion(reply, customer.version);
      reply.header('location', `/v1/tenants/${tenant}/customers/${customer.id}`);
      return reply.code(201).send(customer);
    },
  });

  api.route({
    method: 'GET',
    url: '/v1/tenants/:tenant/customers/:customerId',
    config: { access: 'people:read' },
    schema: { summary: 'One customer', tags, params: customerParams, response: { 200: customerSchema } },
    handler: async ({ params }, reply) => {
      const customer = viewOf(await box.tenants.vault(params.tenant).getCustomer(params.customerId));
      setVersion(reply, customer.version);
      return customer;
    },
  });

  api.route({
    method: 'PATCH',
    url: '/v1/tenants/:tenant/customers/:customerId',
    config: { access: 'people:write' },
    schema: {
      headers: versionHeaders,
      summary: 'Change what is named; a contact of null is taken away',
      tags,
      params: customerParams,
      body: customerPatchSchema,
      response: { 200: customerSchema },
    },
    handler: async (request, reply) => {
      const { tenant, customerId } = request.params;
      const customer = viewOf(await box.tenants.vault(tenant).changeProfile(customerId, request.body, expectedVersion(request)));
      setVersion(reply, customer.version);
      return customer;
    },
  });

  api.route({
    method: 'DELETE',
    url: '/v1/tenants/:tenant/customers/:customerId',
    config: { access: 'people:write' },
    schema: {
      headers: versionHeaders,
      summary: 'Remove a customer with faces, sightings and all other records about him',
      tags,
      params: customerParams,
      response: { 204: noContent },
    },
    handler: async (request, reply) => {
      const { tenant, customerId } = request.params;
      await box.tenants.vault(tenant).removeCustomer(customerId, expectedVersion(request));
      return reply.code(204).send();
    },
  });

  api.route({
    method: 'PUT',
    url: '/v1/tenants/:tenant/customers/:customerId/consent',
    config: { access: 'people:write' },
    schema: {
      summary: 'Record a new consent, which counts alone from then on',
      tags,
      params: customerParams,
      body: consentSchema,
      response: { 200: customerSchema },
    },
    handler: async ({ params, body }, reply) => {
      const vault = box.tenants.vault(params.tenant);
      await vault.recordConsent(params.customerId, body);
      const customer = viewOf(await vault.getCustomer(params.customerId));
      setVersion(reply, customer.version);
      return customer;
    },
  });

  api.route({
    method: 'DELETE',
    url: '/v1/tenants/:tenant/customers/:customerId/consent',
    config: { access: 'people:write' },
    schema: {
      summary: 'Withdraw the consent: the customer is kept, and never recognised again',
      tags,
      params: customerParams,
      response: { 204: noContent },
    },
    handler: async ({ params }, reply) => {
      await box.tenants.vault(params.tenant).withdrawConsent(params.customerId);
      return reply.code(204).send();
    },
  });
}

function viewOf({ customerId, name, contact, consent, consentState, faces, version }: CustomerView) {
  return { id: customerId, name, contact, consent, consentState, faces, version };
}
