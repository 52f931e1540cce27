import { expect, onTestFinished, test } from 'vitest';
import { createHttpApi, listen } from '../../../../shared/http/create-http-api.ts';
import { addTenantContext, isWithin } from '../../../../shared/http/tenant-context.ts';
import { createLogger } from '../../../../shared/log/create-logger.ts';
import { rawRequest } from '../../../helpers/raw-request.ts';

const HALL = { org: 'acme', tenant: 'hall' };

/** What a route sees of a request. */
async function seenOf(trustedProxies: string[], ...headers: string[]): Promise<unknown> {
  const api = createHttpApi({ certificates: undefined, logger: createLogger('test', { level: 'silent' }) });
  onTestFinished(() => api.close());
  const address = { host: '127.0.0.1', port: 0, trustedProxies };
  addTenantContext(api, {
    certificates: undefined,
    listen: address,
    findVenue: async (name) => (name === 'hall.example' ? HALL : undefined),
  });
  let seen: unknown;
  api.get('/', async ({ confines, venue, headers: { 'x-org-id': org, 'x-tenant-id': tenant } }) => {
    seen = { confines, venue, org, tenant };
    return 'ok';
  });
  const url = await listen(api, address.host, address.port, undefined);
  await rawRequest(url, ['GET / HTTP/1.1', ...headers, 'Connection: close', '', ''].join('\r\n'));
  return seen;
}

const SAID = ['X-Org-Id: acme', 'X-Tenant-Id: hall'];

test.each([
  ['a host name of its own', [], ['Host: localhost'], { confines: {} }],
  ['a host name of a tenant', [], ['Host: hall.example'], { confines: HALL, venue: HALL }],
  ['headers of a stranger, which nobody reads then', ['192.0.2.1'], ['Host: localhost', ...SAID], { confines: {} }],
  ['headers of a trusted proxy', ['127.0.0.1'], ['Host: localhost', ...SAID], { confines: HALL, ...HALL }],
  ['headers of a trusted network', ['::/0', '127.0.0.0/8'], ['Host: localhost', ...SAID], { confines: HALL, ...HALL }],
  ['headers of a trusted network of the other family', ['2001:db8::/32'], ['Host: localhost', ...SAID], { confines: {} }],
] as const)('%s', async (_what, trusted, headers, seen) => {
  expect(await seenOf([...trusted], ...headers)).toEqual(seen);
});

test.each([
  [undefined, HALL, false],
  [{}, HALL, true],
  [{}, {}, true],
  [HALL, HALL, true],
  [HALL, { org: 'acme' }, false],
  [HALL, { ...HALL, org: 'other' }, false],
  [HALL, {}, false],
  [{ org: 'acme' }, HALL, true],
  [{ org: 'acme' }, { tenant: 'hall' }, false],
  [{ tenant: 'hall' }, HALL, true],
  [{ tenant: 'hall' }, { org: 'acme', tenant: 'club' }, false],
])('within %j lies %j: %s', (confines, subject, lies) => {
  expect(isWithin(confines, subject)).toBe(lies);
});
