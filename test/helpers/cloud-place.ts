import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import { sql } from 'kysely';
import { expect, onTestFinished, vi } from 'vitest';
import { LOCAL_OPERATOR } from '../../cloud/iam/local-operator.ts';
import { People } from '../../cloud/iam/people.ts';
import type { Role } from '../../cloud/iam/roles.ts';
import { openStore, type Store, type StoreAddress } from '../../cloud/store/open-store.ts';
import { newId } from '../../shared/ids/ids.ts';
import { type Operation, readOperations } from './api-operations.ts';
import { arbitraryOf, type Components, type JsonSchema, resolve } from './arbitrary-of-schema.ts';
import { pinAdmins, TestCloud } from './cloud.ts';
import { type TestKms, testKms } from './kms.ts';
import { tempFolder } from './temp-folder.ts';

/** What a request may leave behind that is refused. */
const OF_REFUSALS = ['audit', 'log', 'log_tiles', 'log_heads', 'idempotency'];
const SAMPLES = 200;

/** Somebody who asks. */
export interface TestAccount {
  readonly id: string;
  readonly token: string;
}

/** A control plane with two orgs, `ours` and `theirs`, of two tenants each, `hall` and `club`. */
export class CloudPlace {
  readonly kms: TestKms;
  readonly cloud: TestCloud;
  readonly store: Store;
  readonly address: StoreAddress;
  readonly people: People;
  readonly operations: readonly Operation[];
  readonly components: Components;

  private constructor(
    kms: TestKms,
    cloud: TestCloud,
    store: Store,
    address: StoreAddress,
    told: Awaited<ReturnType<typeof readOperations>>,
  ) {
    this.kms = kms;
    this.cloud = cloud;
    this.store = store;
    this.address = address;
    this.people = new People(store.db, Date.now);
    this.operations = told.operations;
    this.components = told.components;
  }

  static async make(address?: StoreAddress): Promise<CloudPlace> {
    // What is done once a minute, as a head of the log, would count as what a slow test has changed.
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const kms = await testKms('software');
    const where = address ?? { file: join(await tempFolder(), 'cloud.db') };
    const cloud = await TestCloud.start(kms, where);
    const store = await openStore(where);
    onTestFinished(() => store.close());
    const place = new CloudPlace(kms, cloud, store, where, await readOperations(cloud));
    const operator = await cloud.issuer.token(LOCAL_OPERATOR, '');
    for (const org of ['ours', 'theirs']) {
      await pinAdmins(kms, org);
      const fields = { id: org, name: org, jurisdiction: 'CH', features: ['service-accounts'] };
      expect((await cloud.ask(operator, 'POST', '/v1/orgs', fields)).status).toBe(201);
      const { token } = await place.account(org, 'org:admin');
      for (const id of ['hall', 'club']) {
        expect((await cloud.ask(token, 'POST', `/v1/orgs/${org}/tenants`, { id, name: id })).status).toBe(201);
      }
    }
    await place.#addDevice();
    return place;
  }

  async #addDevice(): Promise<void> {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const wrap_key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64url');
    const id = IN_OURS.devices ?? '';
    const row = { id, org: 'ours', name: 'rack', state: 'active', wrap_key, wrap: 'w', jkt: 'j', version: 1, enrolled_at: 0 } as const;
    await this.store.db.insertInto('devices').values(row).execute();
    const settings = '{"title":null,"url":"rtsp://10.0.0.1/1","fps":5,"tiles":null,"credential":null}';
    const camera = { org: 'ours', tenant: 'hall', device: id, slug: 'door', settings, version: 1, created_at: 0 };
    await this.store.db
      .insertInto('cameras')
      .values({ id: IN_OURS.cameras ?? '', ...camera })
      .execute();
  }

  /** The routes that are not open to anybody. */
  get guarded(): readonly Operation[] {
    return this.operations.filter(({ operation }) => operation !== undefined);
  }

  /** An account with this role alone, or with none. `org` is '' for one of the platform. */
  async account(org: string, role?: Role, tenant?: string): Promise<TestAccount> {
    const id = newId('user');
    const roles = role === undefined ? [] : [tenant === undefined ? { role } : { role, tenant }];
    await this.people.create(org, id, { kind: 'user', name: role ?? 'nobody', email: `${id}@x.example` }, roles);
    return { id, token: await this.cloud.issuer.token(id, org) };
  }

  /** Somebody who may do everything in `ours`, for the routes of an org, and one of the platform for the others. */
  async masters(): Promise<(route: Operation) => TestAccount> {
    const [operator, admin] = [await this.account('', 'platform:operator'), await this.account('ours', 'org:admin')];
    return ({ roles }) => (roles.includes('org:admin') ? admin : operator);
  }

  /** All that is there, but for what a refusal may leave: every row of every table, and how much the KMS was asked to do. */
  async content(): Promise<string> {
    const { db } = this.store;
    const tables = (await db.introspection.getTables()).map(({ name }) => name).filter((name) => !OF_REFUSALS.includes(name));
    const rows = await Promise.all(
      tables.toSorted().map(async (name) => {
        const { rows: found } = await sql<object>`SELECT * FROM ${sql.table(name)}`.execute(db);
        return [name, found.map((row) => JSON.stringify(row)).toSorted()];
      }),
    );
    return JSON.stringify([rows, (await this.kms.audit()).length], null, 1);
  }

  /** The newest entry of the log. */
  async lastAudit(): Promise<
    { readonly actor: string; readonly operation: string; readonly outcome: string; readonly org: string } | undefined
  > {
    return await this.store.db.selectFrom('audit').selectAll().orderBy('position', 'desc').limit(1).executeTakeFirst();
  }

  /** Of the body that a route takes, with every part that it refers to; undefined where it takes none. */
  schemaOf({ body }: Operation): JsonSchema | undefined {
    return body?.['application/json'] && withParts(body['application/json'].schema, this.components);
  }

  /** A body that fits the document, with as much in it as a sample has; undefined where a route takes none. */
  body(route: Operation): object | undefined {
    const schema = this.schemaOf(route);
    if (schema === undefined) return undefined;
    return JSON.parse(sampleOf(schema, this.components)) as object;
  }
}

/** By the text of their schemas: places are many, and what they take is the same. */
const samples = new Map<string, string>();

/** The longest of `SAMPLES`, as JSON. */
function sampleOf(schema: JsonSchema, components: Components): string {
  const text = JSON.stringify(schema);
  const known = samples.get(text);
  if (known !== undefined) return known;
  const made = fc.sample(arbitraryOf(schema, components), { numRuns: SAMPLES, seed: 7 }).map((sample) => JSON.stringify(sample));
  const longest = made.reduce((longer, one) => (one.length > longer.length ? one : longer));
  samples.set(text, longest);
  return longest;
}

/** What there is in `ours`, or could be, beside its people: ids by the resource that they are of. */
export const IN_OURS: Readonly<Record<string, string>> = {
  devices: 'box_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  'enrolment-tokens': 'ent_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  cameras: 'rec_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  commands: '01KAMV8Z0000000000000000AA',
  receipts: '01KAMV8Z0000000000000000BB',
  shreds: '01KAMV8Z0000000000000000CC',
  erasures: '01KAMV8Z0000000000000000DD',
  recoveries: '01KAMV8Z0000000000000000EE',
};

/** The path with somebody or something of an org in it. */
export function fill(path: string, values: { readonly id: string; readonly org?: string; readonly tenant?: string }): string {
  const [, resource = ''] = /\/([\w-]+)\/\{id\}/.exec(path) ?? [];
  const all: Readonly<Record<string, string>> = {
    org: 'ours',
    tenant: 'hall',
    role: 'operator',
    ...values,
    id: IN_OURS[resource] ?? values.id,
  };
  return path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => all[name] ?? `no-value-for-${name}`);
}

/** A schema in which everything stands itself that it refers to. */
function withParts(schema: JsonSchema, components: Components): JsonSchema {
  return JSON.parse(JSON.stringify(resolve(schema, components)), (_name, part: JsonSchema) =>
    part?.$ref === undefined ? part : withParts(part, components),
  ) as JsonSchema;
}
