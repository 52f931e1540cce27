import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { sql } from 'kysely';
import pg from 'pg';
import { AuditLog } from '../../cloud/audit/audit-log.ts';
import { People } from '../../cloud/iam/people.ts';
import type { Dialect } from '../../cloud/store/database.ts';
import { openStore, type Store, type StoreAddress } from '../../cloud/store/open-store.ts';
import { StoredIdempotency } from '../../cloud/store/stored-idempotency.ts';
import { newOrgSchema, newTenantSchema } from '../../cloud/tenants/org.ts';
import { Orgs } from '../../cloud/tenants/orgs.ts';
import { Tenants } from '../../cloud/tenants/tenants.ts';
import { fillFleet, readFleet } from './dumped-fleet.ts';
import { startPostgres } from './postgres.ts';

/**
 * Databases of the control plane as each version left them: a dump for SQLite, one for Postgres, and what was in them.
 * `node test/helpers/store-dump.ts` adds those of the version that is checked out; to be called before the next migration is written.
 */
const FOLDER = join(import.meta.dirname, '../fixtures/cloud-store');
const NOW = Date.parse('2026-11-22T08:00:00Z');
const [ADA, BEA, SHOP] = [`usr_${'a'.repeat(26)}`, `usr_${'b'.repeat(26)}`, `svc_${'c'.repeat(26)}`];

/** Versions of which there is a dump, the oldest first. */
export function dumpedVersions(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.replace('.json', ''))
    .sort();
}

/** What was in the dump of a version, as {@link readContent} gave it then. */
export function contentThen(version: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(FOLDER, `${version}.json`), 'utf8')) as Record<string, unknown>;
}

/** Puts the dump of a version into an empty database. */
export async function loadDump(version: string, address: StoreAddress): Promise<void> {
  if ('file' in address) {
    const database = new Sqlite(address.file);
    database.exec(readFileSync(join(FOLDER, `${version}.sqlite.sql`), 'utf8'));
    database.close();
    return;
  }
  const client = new pg.Client({ connectionString: address.postgres });
  await client.connect();
  await client.query(readFileSync(join(FOLDER, `${version}.postgres.sql`), 'utf8'));
  await client.end();
}

/** All that the control plane tells of what {@link fill} made. */
export async function readContent({ db }: Store): Promise<Record<string, unknown>> {
  const { orgs, tenants, people, audit, idempotency } = parts(db);
  const page = { limit: 100 };
  return JSON.parse(
    JSON.stringify({
      orgs: await orgs.list(page),
      tenants: [await tenants.list('acme', page), await tenants.list('other', page)],
      users: await people.list('acme', 'user', page),
      services: await people.list('acme', 'service', page),
      accounts: [await people.account(ADA), (await people.account(SHOP)) ?? null],
      audit: await audit.list('acme', page),
      idempotency: [await idempotency.find(Buffer.from('settled')), await idempotency.find(Buffer.from('open'))],
      fleet: await readFleet(db),
    }),
  ) as Record<string, unknown>;
}

function parts(db: Store['db']) {
  const now = (): number => NOW;
  // What is kept of a tenant's key is the KMS's; here it is a row.
  const tenants = new Tenants(db, { call: async () => ({}) as never }, now);
  const [orgs, people, audit] = [
    new Orgs(db, now),
    new People(db, now),
    new AuditLog({ db, now, random: (size) => Buffer.alloc(size, 7) }),
  ];
  return { orgs, tenants, people, audit, idempotency: new StoredIdempotency(db, now) };
}

async function fill(store: Store): Promise<void> {
  const { orgs, tenants, people, audit, idempotency } = parts(store.db);
  const branding = { logo: 'https://acme.example/logo.png', colours: { primary: '#1a2b3c' }, domains: ['acme.example'] };
  for (const fields of [
    { id: 'acme', name: "Acme's Hallen Zürich", jurisdiction: 'CH', branding, features: ['service-accounts'], plan: 'enterprise' },
    { id: 'other', name: 'Other', jurisdiction: 'DE' },
  ]) {
    const { id, ...org } = newOrgSchema.parse(fields);
    await orgs.create(id, org);
  }
  for (const [org, fields] of [
    ['acme', { id: 'hall', name: 'Hall', hostnames: ['hall.acme.example', 'www.acme.example'], policies: { matchThreshold: 0.5 } }],
    ['acme', { id: 'club', name: 'Club' }],
    ['other', { id: 'hall', name: 'Their hall', hostnames: ['hall.other.example'] }],
  ] as const) {
    const { id, ...tenant } = newTenantSchema.parse(fields);
    await tenants.create(org, id, tenant);
  }
  await tenants.change('acme', 'hall', { name: 'Great hall' });
  await sql`UPDATE tenants SET state = 'making' WHERE id = 'club'`.execute(store.db);
  await people.create('acme', ADA, { kind: 'user', name: 'Ada', email: 'ada@acme.example' }, [{ role: 'org:admin' }]);
  await people.create('acme', BEA, { kind: 'user', name: 'Bea', email: 'bea@acme.example' }, [
    { role: 'reviewer', tenant: 'hall' },
    { role: 'dpo' },
  ]);
  await people.create('acme', SHOP, { kind: 'service', name: 'Ticket shop' }, [{ role: 'operator', tenant: 'hall' }]);
  await people.change('acme', SHOP, { active: false });
  const entry = { at: NOW, request: 'r1', actor: ADA, org: 'acme', tenant: '', target: 'hall', evidence: '' };
  await audit.record({ ...entry, operation: 'tenants.create', outcome: 'done' });
  await audit.record({ ...entry, operation: 'tenants.change', outcome: 'version_conflict' });
  for (const request of ['settled', 'open']) {
    await idempotency.reserve(Buffer.from(request), { content: Buffer.from('content'), result: ADA });
  }
  await idempotency.settle(Buffer.from('settled'));
  await fillFleet(store.db);
}

async function dump(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sg-dump-'));
  const postgres = await startPostgres();
  try {
    const [file, database] = [join(folder, 'cloud.db'), await postgres.database()];
    const version = await dumpOf({ file }, 'sqlite', () => execFileSync('sqlite3', [file, '.dump'], { encoding: 'utf8' }));
    const flags = ['--inserts', '--no-owner', '--no-privileges', `--dbname=${database}`];
    await dumpOf({ postgres: database }, 'postgres', () => withoutPsql(execFileSync('pg_dump', flags, { encoding: 'utf8' })));
    return version;
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true });
  }
}

async function dumpOf(address: StoreAddress, dialect: Dialect, read: () => string): Promise<string> {
  const store = await openStore(address);
  try {
    const { rows } = await sql<{ name: string }>`SELECT name FROM kysely_migration ORDER BY name DESC LIMIT 1`.execute(store.db);
    const version = rows[0]?.name ?? '';
    const file = join(FOLDER, `${version}.${dialect}.sql`);
    if (existsSync(file)) throw new Error(`${file} is there: what an earlier version left does not change`);
    await fill(store);
    writeFileSync(file, read());
    writeFileSync(join(FOLDER, `${version}.json`), `${JSON.stringify(await readContent(store), null, 2)}\n`);
    return version;
  } finally {
    await store.close();
  }
}

/** Without what is for the program psql alone. */
function withoutPsql(text: string): string {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('\\') && !line.startsWith('--') && line !== '')
    .join('\n');
}

if (import.meta.main) process.stdout.write(`dumped ${await dump()}\n`);
