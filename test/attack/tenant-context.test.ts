import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { LOCAL_OPERATOR } from '../../cloud/iam/local-operator.ts';
import { People } from '../../cloud/iam/people.ts';
import type { Role } from '../../cloud/iam/roles.ts';
import { openStore } from '../../cloud/store/open-store.ts';
import { startApi } from '../../edge/api/server.ts';
import { systemClock } from '../../edge/runtime/clock.ts';
import type { TlsConfig } from '../../shared/http/listen-config.ts';
import { newId } from '../../shared/ids/ids.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import { pinAdmins, TestCloud } from '../helpers/cloud.ts';
import { testKms } from '../helpers/kms.ts';
import { type RawAnswer, rawRequest, shownCertificate } from '../helpers/raw-request.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { PLENTY, startTestApi, type TestApi } from '../helpers/test-api.ts';
import { hasOpenssl, TestCa } from '../helpers/test-ca.ts';

/** A server with two tenants of one org, `hall.test` and `club.test`, and the name `gate.test` of its own. */
interface Place {
  readonly url: string;
  /** May do everything below in both tenants. */
  readonly token: string;
  /** Of those who do not belong to the tenant `hall`, whatever they may do elsewhere. */
  readonly strangers: readonly string[];
  readonly hall: string;
  readonly club: string;
  /** About no tenant. */
  readonly whole: string;
  readonly org: string;
  /** Ids of the two tenants. */
  readonly ids: { readonly hall: string; readonly club: string };
}

/** The box behind all servers below. */
let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  api.box.hostnames.set('hall.test', { org: 'acme', tenant: 'north' }).set('club.test', { org: 'acme', tenant: 'south' });
}, 60_000);
afterAll(() => api.stop());

type Settings = { tls?: TlsConfig; trustedProxies?: string[]; hostnames?: string[] };

async function cloudPlace(settings: Settings): Promise<Place> {
  const kms = await testKms('software');
  const store = { file: join(await tempFolder(), 'cloud.db') };
  const cloud = await TestCloud.start(kms, store, { api: settings });
  const opened = await openStore(store);
  onTestFinished(() => opened.close());
  const people = new People(opened.db, Date.now);
  const account = async (org: string, role: Role): Promise<string> => {
    const id = newId('user');
    await people.create(org, id, { kind: 'user', name: role, email: `${id}@x.example` }, [{ role }]);
    return await cloud.issuer.token(id, org);
  };
  const operator = await cloud.issuer.token(LOCAL_OPERATOR, '');
  for (const org of ['ours', 'theirs']) {
    await pinAdmins(kms, org);
    const made = await rawJson(cloud.url, 'POST', '/v1/orgs', operator, { id: org, name: org, jurisdiction: 'CH' });
    expect(made).toEqual([{ status: 201, code: undefined }]);
  }
  const token = await account('ours', 'org:admin');
  for (const id of ['hall', 'club']) {
    const made = await rawJson(cloud.url, 'POST', '/v1/orgs/ours/tenants', token, { id, name: id, hostnames: [`${id}.test`] });
    expect(made).toEqual([{ status: 201, code: undefined }]);
  }
  const path = (id: string): string => `/v1/orgs/ours/tenants/${id}`;
  return {
    ...{
      url: cloud.url,
      token,
      strangers: [operator, await account('theirs', 'org:admin')],
      org: 'ours',
      ids: { hall: 'hall', club: 'club' },
    },
    ...{ hall: path('hall'), club: path('club'), whole: '/v1/orgs/ours/tenants' },
  };
}

async function boxPlace(settings: Settings): Promise<Place> {
  const listen = { host: '127.0.0.1', port: 0, ...settings };
  const logger = createLogger('test', { level: 'silent' });
  const running = await startApi({ box: api.box, appliance: api.appliance, listen, logger, clock: systemClock, rateLimits: PLENTY });
  onTestFinished(() => running.stop());
  const path = (id: string): string => `/v1/tenants/${id}/rooms`;
  return {
    ...{ url: running.url, token: api.admin, strangers: [api.key('south')], org: 'acme', ids: { hall: 'north', club: 'south' } },
    ...{ hall: path('north'), club: path('south'), whole: '/v1/tenants' },
  };
}

const SIDES = [
  ['the control plane', cloudPlace],
  ['the box', boxPlace],
] as const;

async function rawJson(url: string, method: string, path: string, token: string, body: object): Promise<RawAnswer[]> {
  const text = JSON.stringify(body);
  const head = `Host: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${text.length}`;
  return await rawRequest(url, `${method} ${path} HTTP/1.1\r\n${head}\r\nConnection: close\r\n\r\n${text}`);
}

/** Certificates for `gate.test`, by default, for `hall.test` and for every name below `venues.test`. */
async function certificates(): Promise<TlsConfig> {
  const ca = new TestCa(await tempFolder(), 'ca');
  return {
    ...ca.issue('gate', 1, ['gate.test']),
    certificates: [
      { hostnames: ['hall.test'], ...ca.issue('hall', 1, ['hall.test']) },
      { hostnames: ['*.venues.test'], ...ca.issue('venues', 1, ['*.venues.test']) },
    ],
  };
}

const FINE = [200, undefined];
const OUTSIDE = [403, 'outside_tenant'];
const INVALID = [400, 'invalid_request'];
const MISDIRECTED = [421, 'misdirected_request'];
const UNKNOWN = [404, 'unknown_host'];

/** [what, name of the TLS connection, the request without its last lines, what is answered first] */
type Row = readonly [what: string, sni: string, request: (place: Place) => string, answer: readonly unknown[]];

const get = (target: string, ...headers: string[]): string => [`GET ${target} HTTP/1.1`, ...headers].join('\r\n');

const BY_TLS: readonly Row[] = [
  ['a tenant by its own name', 'hall.test', ({ hall }) => get(hall, 'Host: hall.test'), FINE],
  ['another tenant of the same org', 'hall.test', ({ club }) => get(club, 'Host: hall.test'), OUTSIDE],
  ['all tenants, by the name of one', 'hall.test', ({ whole }) => get(whole, 'Host: hall.test'), OUTSIDE],
  ['a name of the server itself', 'gate.test', ({ club }) => get(club, 'Host: gate.test'), FINE],
  ['Host is another name than that of the connection', 'hall.test', ({ club }) => get(club, 'Host: club.test'), MISDIRECTED],
  ['Host is the server, the connection a tenant', 'hall.test', ({ club }) => get(club, 'Host: gate.test'), MISDIRECTED],
  ['Host is a tenant, the connection the server', 'gate.test', ({ hall }) => get(hall, 'Host: hall.test'), MISDIRECTED],
  ['Host is an address, the connection a tenant', 'hall.test', ({ club }) => get(club, 'Host: 127.0.0.1'), MISDIRECTED],
  ['a tenant, by a connection without a name', '', ({ hall }) => get(hall, 'Host: hall.test'), MISDIRECTED],
  ['the server, by a connection without a name', '', ({ hall }) => get(hall, 'Host: gate.test'), FINE],
  ['the server by its address', '', ({ hall }) => get(hall, 'Host: 127.0.0.1'), FINE],
  ['a name of nobody', 'bar.test', ({ hall }) => get(hall, 'Host: bar.test'), UNKNOWN],
  ['a name of nobody with a certificate', 'new.venues.test', ({ hall }) => get(hall, 'Host: new.venues.test'), UNKNOWN],
  ['an address of another machine', '', ({ hall }) => get(hall, 'Host: 192.0.2.7'), UNKNOWN],
  ['no Host at all, as of old', '', ({ hall }) => get(hall).replace('HTTP/1.1', 'HTTP/1.0'), UNKNOWN],
  ['an empty Host', '', ({ hall }) => get(hall, 'Host:'), UNKNOWN],
  ['upper case', 'hall.test', ({ hall }) => get(hall, 'HOST: HALL.Test'), FINE],
  ['upper case is no way around', 'hall.test', ({ club }) => get(club, 'Host: HALL.TEST'), OUTSIDE],
  ['a port', 'hall.test', ({ hall }) => get(hall, 'Host: hall.test:8443'), FINE],
  ['a port that is none', 'hall.test', ({ hall }) => get(hall, 'Host: hall.test:gate'), INVALID],
  ['the dot of the root', 'hall.test', ({ hall }) => get(hall, 'Host: hall.test.'), FINE],
  ['the dot of the root is no way around', 'hall.test', ({ club }) => get(club, 'Host: hall.test.'), OUTSIDE],
  ['two dots', 'hall.test', ({ hall }) => get(hall, 'Host: hall.test..'), INVALID],
  ['a user in Host', 'hall.test', ({ hall }) => get(hall, 'Host: gate.test@hall.test'), INVALID],
  ['a password in Host', 'hall.test', ({ hall }) => get(hall, 'Host: hall.test:1@gate.test'), INVALID],
  ['a path in Host', 'hall.test', ({ hall }) => get(hall, 'Host: hall.test/gate.test'), INVALID],
  ['two names in one Host', 'hall.test', ({ hall }) => get(hall, 'Host: hall.test, gate.test'), INVALID],
  ['a name beyond ASCII', 'hall.test', ({ hall }) => get(hall, 'Host: h\u00e4ll.test'), INVALID],
  ['a name beyond ASCII as A-label', 'xn--hll-qla.test', ({ hall }) => get(hall, 'Host: xn--hll-qla.test'), UNKNOWN],
  ['an escaped name', 'hall.test', ({ hall }) => get(hall, 'Host: %68all.test'), INVALID],
  ['an underscore in Host', 'hall.test', ({ hall }) => get(hall, 'Host: hall_.test'), INVALID],
  ['brackets around no address', 'hall.test', ({ hall }) => get(hall, 'Host: [hall.test]'), INVALID],
  ['something behind an address', 'hall.test', ({ hall }) => get(hall, 'Host: [::1].hall.test'), INVALID],
  ['two Hosts', 'hall.test', ({ hall }) => get(hall, 'Host: hall.test', 'Host: club.test'), INVALID],
  ['two Hosts in two ways of writing', 'hall.test', ({ hall }) => get(hall, 'Host: hall.test', 'hOsT: hall.test'), INVALID],
  ['a second Authorization', 'hall.test', ({ hall }) => get(hall, 'Host: hall.test', 'authorization: Bearer other'), INVALID],
  ['two X-Tenant-Ids', 'hall.test', ({ hall }) => get(hall, 'Host: hall.test', 'X-Tenant-Id: a1', 'x-tenant-id: a1'), INVALID],
  ['two X-Org-Ids', 'hall.test', ({ hall }) => get(hall, 'Host: hall.test', 'X-Org-Id: a1', 'X-ORG-ID: a1'), INVALID],
  ['a whole address that agrees', 'hall.test', ({ hall }) => get(`https://hall.test${hall}`, 'Host: hall.test'), FINE],
  ['a whole address that goes too far', 'hall.test', ({ club }) => get(`https://hall.test${club}`, 'Host: hall.test'), OUTSIDE],
  ['a whole address of another host', 'hall.test', ({ club }) => get(`https://club.test${club}`, 'Host: hall.test'), INVALID],
  ['a whole address, and Host of another', 'hall.test', ({ club }) => get(`https://hall.test${club}`, 'Host: club.test'), INVALID],
  ['a whole address without TLS', 'hall.test', ({ hall }) => get(`http://hall.test${hall}`, 'Host: hall.test'), INVALID],
  ['a whole address with a user', 'hall.test', ({ hall }) => get(`https://gate.test@hall.test${hall}`, 'Host: hall.test'), INVALID],
  [
    'X-Tenant-Id from a stranger opens nothing',
    'hall.test',
    ({ club, ids }) => get(club, 'Host: hall.test', `X-Tenant-Id: ${ids.club}`),
    OUTSIDE,
  ],
  [
    'X-Tenant-Id from a stranger closes nothing',
    'hall.test',
    ({ hall, ids }) => get(hall, 'Host: hall.test', `X-Tenant-Id: ${ids.club}`),
    FINE,
  ],
  ['X-Org-Id from a stranger closes nothing', 'hall.test', ({ hall }) => get(hall, 'Host: hall.test', 'X-Org-Id: theirs'), FINE],
  ['underscores in place of dashes', 'hall.test', ({ club, ids }) => get(club, 'Host: hall.test', `X_Tenant_Id: ${ids.club}`), OUTSIDE],
  ['X-Forwarded-Host', 'hall.test', ({ club }) => get(club, 'Host: hall.test', 'X-Forwarded-Host: club.test'), OUTSIDE],
  ['X-Forwarded-Host of the server', 'hall.test', ({ whole }) => get(whole, 'Host: hall.test', 'X-Forwarded-Host: gate.test'), OUTSIDE],
  ['Forwarded', 'hall.test', ({ club }) => get(club, 'Host: hall.test', 'Forwarded: host=club.test'), OUTSIDE],
  ['X-Original-URL', 'hall.test', ({ club, hall }) => get(club, 'Host: hall.test', `X-Original-URL: ${hall}`), OUTSIDE],
  ['a header that is folded', 'hall.test', ({ hall }) => get(hall, 'Host: hall.test', 'X-Tenant-Id: a1', ' b2'), INVALID],
  ['a Host that is folded', 'hall.test', ({ hall }) => get(hall, 'Host: hall.test', '\tclub.test'), INVALID],
  ['a space before the colon', 'hall.test', ({ hall }) => get(hall, 'Host: hall.test', 'Host : club.test'), INVALID],
  ['a bare line feed', 'hall.test', ({ hall }) => get(hall, 'Host: hall.test', 'X-A: b\nHost: club.test'), INVALID],
  ['a bare carriage return', 'hall.test', ({ hall }) => get(hall, 'Host: hall.test', 'X-A: b\rHost: club.test'), INVALID],
];

describe.skipIf(!hasOpenssl).each(SIDES)('%s by TLS (skipped where openssl is not installed)', (_side, make) => {
  test('whatever says which host is meant says the same, and opens nothing but its tenant', async () => {
    const place = await make({ tls: await certificates() });
    for (const [what, sni, request, answer] of BY_TLS) {
      const bytes = `${request(place)}\r\nAuthorization: Bearer ${place.token}\r\nConnection: close\r\n\r\n`;
      const [first, ...more] = await rawRequest(place.url, bytes, sni);
      expect.soft([first?.status, first?.code, more.length], what).toEqual([...answer, 0]);
    }
  });

  test('a connection that was opened for one host carries no request for another', async () => {
    const { url, token, hall, club } = await make({ tls: await certificates() });
    const ask = (path: string, host: string, more = ''): string =>
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n${more}\r\n`;
    const bytes =
      ask(hall, 'hall.test') + ask(club, 'club.test') + ask(club, 'gate.test') + ask(hall, 'hall.test', 'Connection: close\r\n');
    expect((await rawRequest(url, bytes, 'hall.test')).map(({ status }) => status)).toEqual([200, 421, 421, 200]);
  });

  test('nothing is smuggled behind a request, for whatever host', async () => {
    const { url, token, hall, club } = await make({ tls: await certificates() });
    const hidden = `GET ${club} HTTP/1.1\r\nHost: gate.test\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    for (const [what, framing] of [
      ['a length beside chunks', `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
      ['chunks beside a length', `Transfer-Encoding: chunked\r\nContent-Length: ${hidden.length}\r\n\r\n0\r\n\r\n`],
      ['two lengths', 'Content-Length: 0\r\nContent-Length: 5\r\n\r\n'],
      ['a length with a sign', 'Content-Length: +0\r\n\r\n'],
      ['chunks that are not the last encoding', 'Transfer-Encoding: chunked, identity\r\n\r\n'],
      ['an encoding that is written in two ways', 'Transfer-Encoding: chunked\r\nTransfer-encoding: cow\r\n\r\n'],
      ['an encoding behind a vertical tab', 'Transfer-Encoding: \x0bchunked\r\n\r\n'],
    ] as const) {
      const answers = await rawRequest(url, `GET ${hall} HTTP/1.1\r\nHost: hall.test\r\n${framing}${hidden}`, 'hall.test');
      expect.soft(answers, what).toEqual([{ status: 400, code: 'invalid_request' }]);
    }
  });

  test('each name has its certificate, a wildcard one level, and all others the default', async () => {
    const { url } = await make({ tls: await certificates() });
    for (const [servername, shown] of [
      ['hall.test', 'hall'],
      ['HALL.test', 'hall'],
      ['a.venues.test', 'venues'],
      ['a.b.venues.test', 'gate'],
      ['venues.test', 'gate'],
      ['club.test', 'gate'],
      ['', 'gate'],
    ] as const) {
      expect.soft(await shownCertificate(url, servername), servername).toBe(shown);
    }
  });

  test('who asks belongs where the host name leads', async () => {
    const place = await make({ tls: await certificates() });
    for (const path of [place.hall, place.club]) {
      for (const stranger of place.strangers) {
        const head = `GET ${path} HTTP/1.1\r\nHost: hall.test\r\nAuthorization: Bearer ${stranger}\r\nConnection: close\r\n\r\n`;
        expect(await rawRequest(place.url, head, 'hall.test'), path).toMatchObject([{ status: 403 }]);
      }
    }
    const nobody = `GET ${place.hall} HTTP/1.1\r\nHost: hall.test\r\nConnection: close\r\n\r\n`;
    expect(await rawRequest(place.url, nobody, 'hall.test')).toMatchObject([{ status: 401 }]);
  });
});

/** [what, headers beside the token, the path, what is answered] */
type HeaderRow = readonly [what: string, headers: (place: Place) => string[], path: 'hall' | 'club' | 'whole', answer: readonly unknown[]];

const FROM_A_PROXY: readonly HeaderRow[] = [
  ['nothing said', () => [], 'whole', FINE],
  ['the tenant that is asked for', ({ ids, org }) => [`X-Org-Id: ${org}`, `X-Tenant-Id: ${ids.hall}`], 'hall', FINE],
  ['the org that is asked for', ({ org }) => [`X-Org-Id: ${org}`], 'hall', FINE],
  ['another tenant', ({ ids }) => [`X-Tenant-Id: ${ids.club}`], 'hall', OUTSIDE],
  ['another org', () => ['X-Org-Id: elsewhere'], 'hall', OUTSIDE],
  ['a tenant, and more is asked for', ({ ids }) => [`X-Tenant-Id: ${ids.hall}`], 'whole', OUTSIDE],
  ['no id', () => ['X-Tenant-Id: ../hall'], 'hall', INVALID],
  ['an empty one', () => ['X-Org-Id:'], 'hall', INVALID],
  ['two in one', ({ ids }) => [`X-Tenant-Id: ${ids.hall}, ${ids.club}`], 'club', INVALID],
  ['a name of the prototype', () => ['X-Org-Id: __proto__'], 'hall', INVALID],
  ['the same as the host name', ({ ids }) => ['Host: hall.test', `X-Tenant-Id: ${ids.hall}`], 'hall', FINE],
  ['another than the host name', ({ ids }) => ['Host: hall.test', `X-Tenant-Id: ${ids.club}`], 'club', OUTSIDE],
  ['another org than the host name', () => ['Host: hall.test', 'X-Org-Id: elsewhere'], 'hall', OUTSIDE],
  ['less than the host name is still no more', ({ org }) => ['Host: hall.test', `X-Org-Id: ${org}`], 'club', OUTSIDE],
  ['a name of the server that the proxy serves', () => ['Host: gate.test'], 'club', FINE],
];

describe.each(SIDES)('%s behind a proxy on its machine', (_side, make) => {
  const answerOf = async (place: Place, [, headers, path]: HeaderRow): Promise<unknown[]> => {
    const lines = headers(place);
    const host = lines.some((line) => line.startsWith('Host:')) ? [] : ['Host: 127.0.0.1'];
    const head = get(place[path], ...host, ...lines, `Authorization: Bearer ${place.token}`, 'Connection: close');
    const [answer] = await rawRequest(place.url, `${head}\r\n\r\n`);
    return [answer?.status, answer?.code];
  };

  test('X-Org-Id and X-Tenant-Id of a trusted proxy narrow, and never widen', async () => {
    const place = await make({ trustedProxies: ['192.0.2.1', '127.0.0.0/8'], hostnames: ['gate.test'] });
    for (const row of FROM_A_PROXY) expect.soft(await answerOf(place, row), row[0]).toEqual(row[3]);
  });

  test('from everybody else they are nothing, whatever they hold; a host name of nobody is one of this machine no more', async () => {
    const place = await make({ trustedProxies: ['192.0.2.1'] });
    for (const header of ['X-Tenant-Id: ../hall', 'X-Org-Id: elsewhere', 'X-Tenant-Id: elsewhere', 'X-Org-Id:']) {
      expect.soft(await answerOf(place, [header, () => [header], 'hall', FINE]), header).toEqual(FINE);
    }
    for (const host of ['gate.test', 'bar.test', '127.0.0.1.bar.test', '']) {
      expect.soft(await answerOf(place, [host, () => [`Host: ${host}`], 'hall', []]), host).toEqual([421, 'wrong_host']);
    }
  });
});
