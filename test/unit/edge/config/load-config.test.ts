import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig, parseConfig } from '../../../../edge/config/load-config.ts';
import type { ConfigInput } from '../../../../edge/config/schema.ts';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'securegate-config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const smallest = {
  dataDir: 'data',
  keyDir: '/etc/securegate/keys',
  tenants: [{ id: 'north', org: 'acme' }],
  cameras: [{ id: 'door', tenant: 'north', url: 'rtsp://user:hunter2@10.0.0.7/stream' }],
} satisfies ConfigInput;

const withHostnames = (north: string[], south: string[], api: object = {}): object => ({
  ...smallest,
  api,
  tenants: [
    { id: 'north', org: 'acme', hostnames: north },
    { id: 'south', org: 'acme', hostnames: south },
  ],
});

function failureOf(config: unknown): SecureGateError {
  try {
    parseConfig(config);
  } catch (error) {
    if (error instanceof SecureGateError) return error;
  }
  throw new Error('the configuration was taken');
}

test('paths count from the file, defaults are filled in', () => {
  const file = join(folder, 'box.json');
  const film = { id: 'film', tenant: 'north', url: 'films/door.mp4' };
  writeFileSync(file, JSON.stringify({ ...smallest, cameras: [...smallest.cameras, film] }));
  expect(loadConfig(file)).toMatchObject({
    dataDir: join(folder, 'data'),
    keyDir: '/etc/securegate/keys',
    models: {},
    api: { host: '127.0.0.1', port: 8750, rateLimits: { perAddress: 3000, perPrincipal: 1200, pictures: 120, logIns: 10 } },
    webhooks: { allowPrivateTargets: false },
    inference: { provider: 'auto', workers: 0 },
    tenants: [{ id: 'north', unmatchedTtlMs: 10_000, sightingsDays: 30 }],
    cameras: [
      { id: 'door', fps: 5, url: 'rtsp://user:hunter2@10.0.0.7/stream' },
      { id: 'film', url: join(folder, 'films/door.mp4') },
    ],
  });
});

test('a box whose control plane tells it what it has declares nothing itself', () => {
  expect(parseConfig({ dataDir: 'data', keyDir: 'keys' })).toMatchObject({ tenants: [], cameras: [] });
});

test('a missing file and a file that is not JSON are told apart', () => {
  expect(() => loadConfig(join(folder, 'none.json'))).toThrowError(expect.objectContaining({ code: 'config_missing' }));
  writeFileSync(join(folder, 'bad.json'), '{ "dataDir": ');
  expect(() => loadConfig(join(folder, 'bad.json'))).toThrowError(expect.objectContaining({ code: 'config_invalid' }));
});

test.each(['../x', 'a/b', '', 'A', 'a', '-a', 'a-', 'x'.repeat(300), 'a b', 'ünïcode'])('the tenant id %j is refused', (id) => {
  expect(failureOf({ ...smallest, tenants: [{ id, org: 'acme' }], cameras: [] })).toMatchObject({ code: 'config_invalid' });
});

test.each([
  ['an unknown field', { ...smallest, colour: 'red' }, 'colour'],
  ['a camera of no tenant', { ...smallest, cameras: [{ id: 'door', tenant: 'south', url: 'x' }] }, 'cameras.0.tenant'],
  ['two tenants of one id', { ...smallest, tenants: [...smallest.tenants, ...smallest.tenants] }, 'tenants.1.id'],
  ['a host name of two tenants', withHostnames(['hall.test'], ['hall.test']), 'tenants.1.hostnames'],
  ['a host name of box and tenant', withHostnames(['hall.test'], [], { hostnames: ['hall.test'] }), 'tenants.0.hostnames'],
  ['no host name of the box beside one of a tenant', withHostnames(['hall.test'], [], { tls: { cert: 'c', key: 'k' } }), 'api.hostnames'],
  ['two cameras of one id', { ...smallest, cameras: [...smallest.cameras, ...smallest.cameras] }, 'cameras.1.id'],
])('%s is named', (_, config, field) => {
  expect(JSON.stringify(failureOf(config).toJSON())).toContain(field);
});

test("an error never shows a camera's address, which may hold its password", () => {
  const error = failureOf({ ...smallest, cameras: [{ ...smallest.cameras?.[0], fps: 'many', url: ['rtsp://user:hunter2@10.0.0.7'] }] });
  expect(`${error.message}${JSON.stringify(error.toJSON())}`).not.toContain('hunter2');
});

test('the files of the certificates count from the file, too', () => {
  const file = join(folder, 'box.json');
  const certificates = [{ hostnames: ['hall.test'], cert: 'hall.pem', key: 'hall.key' }];
  const tls = { cert: 'box.pem', key: '/etc/securegate/box.key', certificates };
  writeFileSync(file, JSON.stringify({ ...smallest, api: { host: '0.0.0.0', tls } }));
  expect(loadConfig(file).api).toMatchObject({
    host: '0.0.0.0',
    port: 8750,
    tls: {
      cert: join(folder, 'box.pem'),
      key: '/etc/securegate/box.key',
      certificates: [{ hostnames: ['hall.test'], cert: join(folder, 'hall.pem'), key: join(folder, 'hall.key') }],
    },
  });
});

test.each(['0.0.0.0', '::', '10.0.0.7', 'box.example.com', '127.0.0.1.example.com'])('plain HTTP is not served on %s', (host) => {
  expect(failureOf({ ...smallest, api: { host } }).details).toMatchObject({ fields: [expect.stringContaining('api.tls')] });
});

test.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('plain HTTP is served on %s', (host) => {
  expect(parseConfig({ ...smallest, api: { host } }).api.host).toBe(host);
});

test('nor does one of a file that is not JSON, not even by its cause', () => {
  const file = join(folder, 'box.json');
  writeFileSync(file, '{ "url": rtsp://u:hunter2@10.0.0.7 }');
  try {
    loadConfig(file);
    expect.unreachable();
  } catch (error) {
    expect(inspect(error)).toContain('config_invalid');
    expect(inspect(error)).not.toContain('hunter2');
  }
});

test('the place of a fault in a file that is not JSON is told', () => {
  const file = join(folder, 'box.json');
  writeFileSync(file, '{\n  "dataDir": "data"\n  "keyDir": "keys"\n}');
  expect(() => loadConfig(file)).toThrow(expect.objectContaining({ details: { place: 'line 3 column 3' } }));
});
