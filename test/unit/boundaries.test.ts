import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

interface Rule {
  readonly name: string;
  readonly from: { readonly path?: string };
}
const { forbidden } = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs')) as { forbidden: readonly Rule[] };

/** One source that breaks one rule: [rule, its path, its text]. */
const BREACHES: readonly (readonly [rule: string, path: string, text: string])[] = [
  ['room edge', 'edge/root.ts', "import '../provisioning/target.ts';"],
  ['room edge/box', 'edge/box/breach.ts', "import '../../provisioning/target.ts';"],
  ['room edge/media', 'edge/media/breach.ts', "import '../appliance/target.ts';"],
  ['room edge/webhooks', 'edge/webhooks/breach.ts', "import '../appliance/target.ts';"],
  ['room edge/config', 'edge/config/breach.ts', "import '../runtime/target.ts';"],
  ['room edge/runtime', 'edge/runtime/breach.ts', "import '../inference/target.ts';"],
  ['room edge/inference', 'edge/inference/breach.ts', "import '../pipeline/frame.ts';"],
  ['room edge/pipeline', 'edge/pipeline/breach.ts', "import '../appliance/target.ts';"],
  ...['decode', 'motion', 'detect', 'track', 'face', 'embed', 'match'].map(
    (stage) => [`room edge/pipeline/${stage}`, `edge/pipeline/${stage}/breach.ts`, "import '../sighting/target.ts';"] as const,
  ),
  ['room edge/pipeline/sighting', 'edge/pipeline/sighting/breach.ts', "import '../detect/target.ts';"],
  ['room edge/vault', 'edge/vault/breach.ts', "import '../appliance/target.ts';"],
  ['room edge/link', 'edge/link/breach.ts', "import '../appliance/target.ts';"],
  ['room edge/backup', 'edge/backup/breach.ts', "import '../inference/target.ts';"],
  ['room edge/appliance', 'edge/appliance/breach.ts', "import '../inference/target.ts';"],
  ['room edge/api', 'edge/api/breach.ts', "import '../pipeline/frame.ts';"],
  ['room edge/console', 'edge/console/breach.ts', "import '../appliance/target.ts';"],
  ['room cloud', 'cloud/breach.ts', "import '../edge/runtime/target.ts';"],
  ...['audit', 'config', 'store'].map(
    (room) => [`room cloud/${room}`, `cloud/${room}/breach.ts`, "import '../tenants/target.ts';"] as const,
  ),
  ['room cloud/tenants', 'cloud/tenants/breach.ts', "import '../iam/target.ts';"],
  ['room cloud/fleet', 'cloud/fleet/breach.ts', "import '../iam/target.ts';"],
  ['room cloud/iam', 'cloud/iam/breach.ts', "import '../http/target.ts';"],
  ['room cloud/broker', 'cloud/broker/breach.ts', "import '../store/target.ts';"],
  ['room cloud/shred', 'cloud/shred/breach.ts', "import '../http/target.ts';"],
  ['room cloud/http', 'cloud/http/breach.ts', "import '../target.ts';"],
  ['room cloud/kms', 'cloud/kms/breach.ts', "import '../../edge/runtime/target.ts';"],
  ['room models', 'models/breach.ts', "import '../edge/runtime/target.ts';"],
  ['room provisioning', 'provisioning/breach.ts', "import '../cloud/target.ts';"],
  ['room shared', 'shared/breach.ts', "import '../models/target.ts';"],
  ['door onnxruntime-node', 'edge/pipeline/detect/door.ts', "import 'onnxruntime-node';"],
  ['door node-av', 'edge/inference/av.ts', "import 'node-av';"],
  ['door sharp', 'edge/inference/sharp.ts', "import 'sharp';"],
  ['door better-sqlite3', 'edge/runtime/sqlite.ts', "import type Database from 'better-sqlite3'; export type D = Database;"],
  ['door sqlite-vec', 'edge/appliance/vec.ts', "import 'sqlite-vec';"],
  ['door pdfkit', 'provisioning/commands/receipt.ts', "import 'pdfkit';"],
  ['door pkcs11js', 'cloud/kms/export/pkcs11.ts', "import 'pkcs11js';"],
  ['door jose', 'shared/jose.ts', "import 'jose';"],
  ['door kysely', 'edge/appliance/kysely.ts', "import 'kysely';"],
  ['door @aws-sdk', 'cloud/audit/s3.ts', "import '@aws-sdk/client-s3';"],
  ['door aedes', 'cloud/fleet/aedes.ts', "import 'aedes';"],
  ['door mqtt', 'edge/link/mqtt.ts', "import 'mqtt';"],
  ['door pg', 'cloud/tenants/pg.ts', "import 'pg';"],
  ['door @peculiar', 'cloud/fleet/certificates.ts', "import '@peculiar/x509';"],
  ['door reflect-metadata', 'cloud/fleet/polyfill.ts', "import 'reflect-metadata';"],
  ['door hpke', 'cloud/kms/hpke.ts', "import 'hpke';"],
  ['door @node-rs/argon2', 'edge/api/argon2.ts', "import '@node-rs/argon2';"],
  ['door fastify', 'edge/appliance/fastify.ts', "import 'fastify';"],
  ['door @fastify', 'edge/appliance/cookie.ts', "import '@fastify/cookie';"],
  ['door fastify-type-provider-zod', 'shared/provider.ts', "import 'fastify-type-provider-zod';"],
  ['door prom-client', 'edge/runtime/metrics.ts', "import 'prom-client';"],
  ['door pacote', 'models/convert/pacote.ts', "import 'pacote';"],
  ['door tar', 'provisioning/tar.ts', "import 'tar';"],
  ['door onnx-proto', 'models/registry/proto.ts', "import 'onnx-proto';"],
  ['door openapi-fetch', 'provisioning/client.ts', "import 'openapi-fetch';"],
  ['door commander', 'edge/commander.ts', "import 'commander';"],
  ['provisioning-loads-roots-late', 'provisioning/early.ts', "import '../edge/target.ts';"],
  ['vault-only-by-client', 'edge/vault-insider.ts', "import type { Target } from './vault/target.ts'; export type T = Target;"],
  ['kms-only-by-client', 'cloud/kms-insider.ts', "import type { Target } from './kms/target.ts'; export type T = Target;"],
  ['nothing-imports-tests', 'shared/tested.ts', "import '../test/target.ts';"],
  ['no-cycles', 'shared/ring.ts', "import './ring.ts';"],
  ['no-unresolved', 'shared/lost.ts', "import './not-there.ts';"],
  ['only-declared-packages', 'shared/borrowed.ts', "import 'borrowed';"],
];

/** What the breaches import, and sources that break nothing although they come close. */
const LAWFUL: readonly (readonly [path: string, text: string])[] = [
  ...[
    'edge/target.ts',
    'edge/runtime/target.ts',
    'edge/inference/target.ts',
    'edge/appliance/target.ts',
    'edge/pipeline/frame.ts',
    'edge/pipeline/detect/target.ts',
    'edge/pipeline/sighting/target.ts',
    'edge/vault/target.ts',
    'edge/vault/client.ts',
    'models/target.ts',
    'provisioning/target.ts',
    'cloud/target.ts',
    'cloud/kms/target.ts',
    'cloud/tenants/target.ts',
    'cloud/iam/target.ts',
    'cloud/http/target.ts',
    'cloud/store/target.ts',
    'cloud/kms/client.ts',
    'cloud/kms/main.ts',
    'test/target.ts',
  ].map((path) => [path, 'export type Target = 1;'] as const),
  ['edge/daemon.ts', "import './pipeline/pipeline.ts'; import './vault/client.ts'; import '../models/target.ts';"],
  ['edge/api/server.ts', "import 'fastify'; import '@fastify/cookie'; import '../vault/client.ts'; import '../appliance/target.ts';"],
  ['edge/pipeline/pipeline.ts', "import './detect/target.ts'; import './sighting/target.ts';"],
  ['edge/pipeline/decode/av.ts', "import 'node-av'; import 'sharp'; import '../frame.ts';"],
  ['edge/vault/store.ts', "import 'better-sqlite3'; import 'sqlite-vec';"],
  ['cloud/kms/hsm/pkcs11/token.ts', "import 'pkcs11js'; import 'jose';"],
  ['shared/lease/seal.ts', "import 'hpke';"],
  ['cloud/asks.ts', "import './kms/client.ts'; import './http/target.ts'; import 'kysely';"],
  ['cloud/tenants/orgs.ts', "import '../store/target.ts'; import '../kms/client.ts'; import 'kysely';"],
  ['provisioning/kms.ts', "export const load = (): Promise<unknown> => import('../cloud/kms/main.ts');"],
  [
    'provisioning/late.ts',
    "import type { Target } from '../edge/target.ts'; export const load = (): Promise<unknown> => import('../edge/target.ts'); export type T = Target;",
  ],
];

const DECLARED = [
  'onnxruntime-node',
  'node-av',
  'sharp',
  'better-sqlite3',
  'sqlite-vec',
  'pdfkit',
  'pkcs11js',
  'jose',
  '@peculiar/x509',
  'reflect-metadata',
  'hpke',
  'kysely',
  'pg',
  '@node-rs/argon2',
  'fastify',
  '@aws-sdk/client-s3',
  '@fastify/cookie',
  'fastify-type-provider-zod',
  'prom-client',
  'pacote',
  'tar',
  'onnx-proto',
  'openapi-fetch',
  'commander',
  'aedes',
  'mqtt',
];

describe('the boundaries between the rooms', () => {
  let folder: string;
  /** Rules broken, by the file that broke them. */
  const broken = new Map<string, string[]>();

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'securegate-boundaries-'));
    const write = (path: string, text: string): void => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    };
    for (const name of [...DECLARED, 'borrowed']) {
      write(`node_modules/${name}/package.json`, JSON.stringify({ name, main: 'index.js', types: 'index.d.ts' }));
      write(`node_modules/${name}/index.js`, '');
      write(`node_modules/${name}/index.d.ts`, 'export default class {}');
    }
    write('package.json', JSON.stringify({ type: 'module', dependencies: Object.fromEntries(DECLARED.map((name) => [name, '*'])) }));
    write('tsconfig.json', JSON.stringify({ compilerOptions: { module: 'nodenext', allowImportingTsExtensions: true, noEmit: true } }));
    for (const [path, text] of LAWFUL) write(path, text);
    for (const [, path, text] of BREACHES) write(path, text);
    const roots = ['edge', 'shared', 'models', 'provisioning', 'cloud', 'test'];
    const config = join(root, '.dependency-cruiser.cjs');
    const cruise = spawnSync(process.execPath, [join(root, 'node_modules/.bin/depcruise'), '--config', config, '-T', 'json', ...roots], {
      cwd: folder,
      encoding: 'utf8',
    });
    const { summary } = JSON.parse(cruise.stdout) as { summary: { violations: { rule: { name: string }; from: string }[] } };
    for (const { rule, from } of summary.violations) broken.set(from, [...(broken.get(from) ?? []), rule.name]);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(BREACHES)('%s is refused in %s', (rule, path) => {
    expect(broken.get(path)).toContain(rule);
  });

  test('lawful imports are let through', () => {
    expect(LAWFUL.filter(([path]) => broken.has(path))).toEqual([]);
  });

  test('every rule has a breach here', () => {
    expect(new Set(BREACHES.map(([rule]) => rule))).toEqual(new Set(forbidden.map(({ name }) => name)));
  });

  test('every source belongs to exactly one room', () => {
    const sources = execFileSync('git', ['ls-files', '--', 'edge', 'cloud', 'shared', 'models', 'provisioning'], {
      cwd: root,
      encoding: 'utf8',
    })
      .split('\n')
      .filter((file) => file.endsWith('.ts'));
    const rooms = forbidden.filter(({ name }) => name.startsWith('room '));
    const homes = (file: string): string[] => rooms.filter(({ from }) => new RegExp(from.path ?? '^$').test(file)).map(({ name }) => name);
    expect(sources.length).toBeGreaterThan(0);
    expect(sources.filter((file) => homes(file).length !== 1)).toEqual([]);
  });
});
