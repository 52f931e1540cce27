import { createHash, randomBytes } from 'node:crypto';
import type { Kysely, KyselyPlugin } from 'kysely';
import { AuditLog } from '../../cloud/audit/audit-log.ts';
import { KmsEntries } from '../../cloud/audit/kms-entries.ts';
import { LogHeads } from '../../cloud/audit/log-heads.ts';
import { LogTree } from '../../cloud/audit/log-tree.ts';
import { signByAuditKey } from '../../cloud/audit/sign-by-audit-key.ts';
import { DesiredStates } from '../../cloud/fleet/desired/desired-states.ts';
import type { KmsClient } from '../../cloud/kms/client.ts';
import { DeletionReceipts } from '../../cloud/shred/deletion-receipts.ts';
import { Erasures } from '../../cloud/shred/erasures.ts';
import { Shredding } from '../../cloud/shred/shredding.ts';
import { Shreds } from '../../cloud/shred/shreds.ts';
import type { Database } from '../../cloud/store/database.ts';
import { newTenantSchema } from '../../cloud/tenants/org.ts';
import { Tenants } from '../../cloud/tenants/tenants.ts';
import { readHead } from '../../shared/audit/log-tokens.ts';
import { receiptEntry } from '../../shared/audit/receipt-entry.ts';
import { newId } from '../../shared/ids/ids.ts';
import { type ProvedReceipt, RECEIPT_TYPE, type Statement } from '../../shared/receipts/receipt.ts';
import { type AssignmentClaims, signAssignment, TestDevice } from './kms.ts';
import type { TestOrg } from './kms-org.ts';
import { LedgerPlace } from './ledger-place.ts';
import { testLogger } from './secrecy/test-logger.ts';

/** What a control plane does, until it dies: it writes to the database, and asks the KMS. */
export class Deaths {
  /** How many more of these it does. */
  left = Number.POSITIVE_INFINITY;
  done = 0;
  readonly #die: () => never;

  constructor(
    die = (): never => {
      throw new Error('the control plane is dead');
    },
  ) {
    this.#die = die;
  }

  step(): void {
    if (this.left <= 0) this.#die();
    this.left -= 1;
    this.done += 1;
  }

  db(db: Kysely<Database>): Kysely<Database> {
    const plugin: KyselyPlugin = {
      transformQuery: ({ node }) => {
        if (node.kind !== 'SelectQueryNode') this.step();
        return node;
      },
      transformResult: async ({ result }) => result,
    };
    return db.withPlugin(plugin);
  }

  /** It may die before the KMS hears of it, and before it hears of the answer. */
  kms(kms: Pick<KmsClient, 'call'>): Pick<KmsClient, 'call'> {
    return {
      call: async (operation, input) => {
        this.step();
        const answer = await kms.call(operation, input);
        this.step();
        return answer;
      },
    };
  }
}

/** Shreds of the tenants of `acme`, on a ledger of its own, with the time in the test's hand. */
export class ShredPlace {
  readonly ledger: LedgerPlace;
  readonly org: TestOrg;
  readonly shreds: Shreds;
  readonly erasures: Erasures;
  readonly receipts: DeletionReceipts;
  readonly heads: LogHeads;
  readonly #tree: LogTree;
  readonly #audit: AuditLog;
  readonly #tenants: Tenants;
  /** Its keys stand for those of every box: RSA keys take long to make. */
  readonly #device = new TestDevice();

  constructor(ledger: LedgerPlace, org: TestOrg) {
    this.ledger = ledger;
    this.org = org;
    const { db } = ledger.store;
    const decided = { db, onWaiting: () => undefined, now: ledger.now };
    this.shreds = new Shreds(decided);
    this.erasures = new Erasures({ ...decided, kms: org.kms.client, commands: ledger.ledger.commands });
    this.#tenants = new Tenants(db, org.kms.client, ledger.now);
    const tree = new LogTree(db);
    const log = { db, kms: org.kms.client, now: ledger.now, random: randomBytes, logger: testLogger('cloud') };
    const kmsEntries = new KmsEntries(log);
    this.heads = new LogHeads({ ...log, tree, kmsEntries });
    this.#tree = tree;
    this.#audit = new AuditLog(log);
    this.receipts = new DeletionReceipts({
      ...log,
      audit: this.#audit,
      kmsEntries,
      tree,
      heads: this.heads,
      shreds: this.shreds,
      erasures: this.erasures,
    });
  }

  /** The receipt of a control plane that says what it likes: it signs that, and has it in its log. */
  async issue(like: ProvedReceipt, said: Statement, type = RECEIPT_TYPE): Promise<ProvedReceipt> {
    const statement = await signByAuditKey(this.org.kms.client, type, said);
    const digest = createHash('sha256').update(statement).digest('base64url');
    const { iat, org, tenant, jti: id } = said;
    await this.#audit.record(receiptEntry({ at: iat * 1000, org, tenant, id, digest }));
    const entry = (await this.#audit.list(org, { limit: 1 }))[0];
    if (entry?.evidence !== digest) throw new Error('something else was logged meanwhile');
    const head = await this.heads.latest(entry.leaf + 1);
    const prove = async <Place extends { leaf: number }>(one: Place): Promise<Place & { proof: string[] }> => {
      return { ...one, proof: await this.#tree.inclusion(one.leaf, readHead(head).size) };
    };
    const [words, destructions] = [await Promise.all(like.words.map(prove)), await Promise.all(like.destructions.map(prove))];
    const issued = await prove({ leaf: entry.leaf, loggedAt: entry.loggedAt, salt: entry.salt });
    return { version: 2, statement, words, destructions, issued, head };
  }

  static async make(org: TestOrg, address: Parameters<typeof LedgerPlace.make>[1]): Promise<ShredPlace> {
    const ledger = await LedgerPlace.make(org.kms.client, address);
    ledger.at = Date.now();
    return new ShredPlace(ledger, org);
  }

  async tenant(id: string, policies: object = {}): Promise<void> {
    const { id: _id, ...fields } = newTenantSchema.parse({ id, name: id, hostnames: [`${id}.acme.example`], policies });
    await this.#tenants.create('acme', id, fields);
  }

  /** A shred that both people have approved. @returns its id */
  async approved(tenant: string, graceMinutes = 0): Promise<string> {
    const [one, two] = [newId('user'), newId('user')];
    const { id } = await this.shreds.create('acme', this.shreds.newId(), one, { tenant, graceMinutes });
    for (const by of [one, two]) await this.shreds.approve('acme', id, by);
    return id;
  }

  /** Looks once, as a process of the control plane that may die over it. */
  async look(deaths = new Deaths()): Promise<void> {
    const { store, now, ledger } = this.ledger;
    const db = deaths.db(store.db);
    const kms = deaths.kms(this.org.kms.client);
    const logger = testLogger('cloud');
    const tenants = new Tenants(db, kms, now);
    const desired = new DesiredStates({ boxes: { find: async () => undefined }, db, kms, now, random: () => 0.5, logger });
    const shredding = new Shredding({ db, kms, tenants, commands: ledger.commands, desired, now, logger });
    const { signal } = new AbortController();
    await shredding.look(signal);
    await this.erasures.look(signal);
  }

  /** A box that is assigned to a tenant, with what it does. */
  async box(tenant: string, change: AssignmentClaims = {}): Promise<Awaited<ReturnType<LedgerPlace['box']>>> {
    const made = await this.ledger.box();
    await this.assign(made.box.id, tenant, change);
    return made;
  }

  async assign(device: string, tenant: string, change: AssignmentClaims = {}): Promise<void> {
    const { admin, kms } = this.org;
    const claims = { ...(await this.#device.claims('acme', tenant)), sub: device, ...change };
    await kms.client.call('assign', { assignment: await signAssignment(admin, claims) });
  }
}
