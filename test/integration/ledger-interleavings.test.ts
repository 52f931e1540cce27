import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import type { JWK } from 'jose';
import { Kysely, SqliteDialect } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { COMMAND_STATES } from '../../cloud/fleet/ledger/command-states.ts';
import type { Ledger } from '../../cloud/fleet/ledger/ledger.ts';
import { Retention } from '../../cloud/fleet/retention/retention.ts';
import type { KmsClient } from '../../cloud/kms/client.ts';
import type { Database as Tables } from '../../cloud/store/database.ts';
import { JobLeases } from '../../cloud/store/job-leases.ts';
import { migrate } from '../../cloud/store/migrate.ts';
import { COMMANDS, type CommandKind, type Order } from '../../shared/fleet/command.ts';
import { publicKeySchema } from '../../shared/lease/public-key.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import { ADA } from '../helpers/ledger-place.ts';
import { LinkedBox } from '../helpers/linked-box.ts';
import { MemoryTransport } from '../helpers/memory-transport.ts';
import { type RunningLedger, startLedger } from '../helpers/start-ledger.ts';

const LOGGER = createLogger('test', { level: 'silent' });
const MINUTE = 60_000;
const DAY = 86_400_000;
/** Longer than the control plane keeps a word, and a box a command that has ended. */
const LONG = 200 * DAY;
const KINDS = ['renew-lease', 'restart-tenant', 'revoke-lease'] as const satisfies readonly CommandKind[];
const LAST_WORDS = ['SUCCEEDED', 'FAILED', 'REJECTED'];

/** The KMS's key for commands in this process: thousands of signatures are asked for. */
class SigningKey {
  readonly #key: KeyObject;

  constructor() {
    const { privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    this.#key = createPrivateKey(privateKey);
  }

  get publicKey() {
    const { kty, crv, x, y } = this.#key.export({ format: 'jwk' }) as JWK;
    return publicKeySchema.parse({ kty, crv, x, y });
  }

  readonly call = (async (operation: string, { messages = [] }: { messages?: readonly Buffer[] }) =>
    operation === 'signingKey'
      ? this.publicKey
      : {
          signatures: messages.map((message) => sign('sha256', message, { key: this.#key, dsaEncoding: 'ieee-p1363' })),
        }) as unknown as KmsClient['call'];
}

let empty: Buffer;
beforeAll(async () => {
  const database = new Database(':memory:');
  await migrate(tablesOf(database), 'sqlite');
  database.exec(
    "INSERT INTO orgs (id, name, branding, features, plan, jurisdiction, key_policy, version, created_at) VALUES ('acme', '', '', '', '', '', '', 1, 1)",
  );
  empty = database.serialize();
});

/** One box and its ledger, and everything that may go wrong between them. */
class World {
  readonly transport = new MemoryTransport({ prompt: false });
  readonly kms = new SigningKey();
  readonly box: LinkedBox;
  /** How often each command was begun and done, by the name that its tenant stands for. */
  readonly begun: string[] = [];
  readonly done: string[] = [];
  /** Of every command that was ever given, also of those that a ledger forgot. */
  readonly given = new Map<string, { name: string; kind: CommandKind; at: number }>();
  crashes = 0;
  at = Date.UTC(2026, 10, 22);
  #database = new Database(empty);
  #db = tablesOf(this.#database);
  #ledgers: RunningLedger[] = [];
  #backup = empty;
  #finish = Promise.withResolvers<void>();

  constructor() {
    const now = (): number => this.at;
    const act = async ({ tenant }: { tenant: string }): Promise<void> => {
      this.begun.push(tenant);
      const life = this.crashes;
      if (tenant.startsWith('slow')) await this.#finish.promise;
      if (life === this.crashes) this.done.push(tenant);
    };
    const acts = { 'renew-lease': act, 'restart-tenant': act, 'revoke-lease': act, 'shred-tenant': act, 'erase-customers': act };
    const executors = { ...acts, sync: async () => undefined };
    this.box = new LinkedBox({ transport: this.transport, commandKeys: [this.kms.publicKey], executors, now });
  }

  async start(): Promise<void> {
    await this.box.start();
    await this.crashCloud();
    await this.transport.connect(this.box.id);
  }

  async give(kind: (typeof KINDS)[number], slow: boolean, minutes: number): Promise<void> {
    this.at += 1;
    const name = `${slow ? 'slow' : 'fast'}-${this.given.size}`;
    const { commands } = this.#ledger;
    const id = commands.newId();
    this.given.set(id, { name, kind, at: this.at });
    const expiresAt = COMMANDS[kind].urgent ? {} : { expiresAt: new Date(this.at + minutes * MINUTE).toISOString() };
    await commands.create('acme', id, ADA, { device: this.box.id, order: { kind, body: { tenant: name } } as Order, ...expiresAt });
  }

  async cancel(index: number): Promise<void> {
    const id = [...this.given.keys()].at(index % Math.max(this.given.size, 1));
    if (id !== undefined) await this.#ledger.commands.cancel('acme', id).catch(() => undefined);
  }

  async deliver(index: number): Promise<void> {
    await this.transport.deliver(index % Math.max(this.transport.onWay.length, 1));
  }

  /** Lets so many messages arrive in order, and what they lead to happen. */
  async bring(messages: number): Promise<void> {
    for (let left = messages; left > 0; left--) {
      await this.deliver(0);
      await pause(1);
    }
  }

  finish(): void {
    this.#finish.resolve();
    this.#finish = Promise.withResolvers();
  }

  async crashBox(): Promise<void> {
    this.crashes += 1;
    await this.box.crash();
    this.finish();
    await this.box.start();
    await this.transport.connect(this.box.id);
  }

  async crashCloud(): Promise<void> {
    await this.#stopLedgers();
    this.addLedger();
  }

  /** A process of the control plane, beside those that there are. */
  addLedger(): void {
    const boxes = { find: async () => ({ org: 'acme', signingKeys: [this.box.keyHash] }) };
    const courier = this.transport.courier();
    this.#ledgers.push(startLedger({ db: this.#db, kms: this.kms, boxes, courier, now: () => this.at, random: () => 0.5, logger: LOGGER }));
  }

  backUp(): void {
    this.#backup = this.#database.serialize();
  }

  async restore(): Promise<void> {
    await this.#stopLedgers();
    this.#database = new Database(this.#backup);
    this.#db = tablesOf(this.#database);
    this.addLedger();
  }

  async pass(minutes: number): Promise<void> {
    this.at += minutes * MINUTE;
    await Promise.all(this.#ledgers.map(({ ledger }) => ledger.look()));
  }

  /** Time passes, and what is not kept any longer is removed. */
  async age(): Promise<void> {
    this.at += LONG;
    await this.pass(0);
    const [db, now] = [this.#db, () => this.at];
    const leases = new JobLeases(db, { owner: 'world', now });
    await new Retention({ db, leases, commandDays: 100, countDays: 100, now, logger: LOGGER }).sweep();
  }

  /** Whether nobody has to remember it any more. */
  isOld(id: string): boolean {
    return (this.given.get(id)?.at ?? 0) + LONG <= this.at;
  }

  /** From here on everything works: time passes until nobody has anything to say any more. */
  async heal(): Promise<void> {
    this.transport.prompt = true;
    while (this.transport.onWay.length > 0) await this.deliver(0);
    await this.transport.connect(this.box.id);
    for (let tries = 0; !(await this.isQuiet()); tries++) {
      if (tries > 400) throw new Error(`never quiet: ${JSON.stringify(await this.commands())}`);
      this.finish();
      await pause(5);
      if (tries % 10 === 9) await this.pass(6);
    }
  }

  async isQuiet(): Promise<boolean> {
    const [isDone, isTold] = [this.box.journal.begun().length === 0, this.box.journal.untold().length === 0];
    const settled = (await this.commands()).every(({ state }) => [...LAST_WORDS, 'TIMED_OUT', 'CANCELED'].includes(state));
    return settled && this.transport.isQuiet && isDone && isTold;
  }

  async commands() {
    return (await this.#ledger.commands.list('acme', { limit: 200 })).items;
  }

  async receipts() {
    return (await this.#ledger.receipts.list('acme', { limit: 200 })).items;
  }

  async end(): Promise<void> {
    this.finish();
    await this.box.crash();
    await this.#stopLedgers();
    expect(this.transport.failures).toEqual([]);
  }

  async #stopLedgers(): Promise<void> {
    this.transport.forgetHandlers();
    await Promise.all(this.#ledgers.map((ledger) => ledger.stop()));
    this.#ledgers = [];
  }

  get #ledger(): Ledger {
    const [running] = this.#ledgers;
    if (running === undefined) throw new Error('no control plane');
    return running.ledger;
  }
}

function tablesOf(database: Database.Database): Kysely<Tables> {
  return new Kysely({ dialect: new SqliteDialect({ database }) });
}

/** What happens; the model is only whether the box is connected, for what follows of it is what is asserted. */
class Happening implements fc.AsyncCommand<{ connected: boolean }, World> {
  readonly #what: string;
  readonly #run: (world: World) => unknown;

  constructor(what: string, run: (world: World) => unknown) {
    this.#what = what;
    this.#run = run;
  }

  check(): boolean {
    return true;
  }

  async run(_model: { connected: boolean }, world: World): Promise<void> {
    await this.#run(world);
    await pause(2);
    await assertAlways(world);
  }

  toString(): string {
    return this.#what;
  }
}

const any = fc.nat({ max: 40 });
const give = fc
  .record({ kind: fc.constantFrom(...KINDS), slow: fc.boolean(), minutes: fc.constantFrom(5, 5000) })
  .map(
    ({ kind, slow, minutes }) =>
      new Happening(`give ${kind} ${slow ? 'slow ' : ''}for ${minutes} min`, (world) => world.give(kind, slow, minutes)),
  );
const bring = fc.nat({ max: 12 }).map((n) => new Happening(`bring ${n}`, (world) => world.bring(n)));
const HAPPENINGS = [
  // As often as they are here: without commands that arrive nothing else matters.
  ...[give, give, give, bring, bring, bring, bring],
  any.map((n) => new Happening(`cancel ${n}`, (world) => world.cancel(n))),
  any.map((n) => new Happening(`deliver ${n}`, (world) => world.deliver(n))),
  any.map((n) => new Happening(`lose ${n}`, (world) => world.transport.drop(n))),
  any.map((n) => new Happening(`repeat ${n}`, (world) => world.transport.duplicate(n))),
  fc.constant(new Happening('connect', (world) => world.transport.connect(world.box.id))),
  fc.constant(new Happening('cut', (world) => world.transport.cut(world.box.id))),
  fc.constant(new Happening('finish', (world) => world.finish())),
  fc.constant(new Happening('box ends', (world) => world.crashBox())),
  fc.constant(new Happening('control plane ends', (world) => world.crashCloud())),
  fc.constant(new Happening('another control plane', (world) => world.addLedger())),
  fc.constant(new Happening('back up', (world) => world.backUp())),
  fc.constant(new Happening('restore', (world) => world.restore())),
  fc.constant(new Happening('200 days', (world) => world.age())),
  fc.constantFrom(1, 10).map((minutes) => new Happening(`${minutes} min`, (world) => world.pass(minutes))),
];

/** What holds at every moment. */
async function assertAlways(world: World): Promise<void> {
  for (const { name, kind } of world.given.values()) {
    const times = world.begun.filter((one) => one === name).length;
    // After a crash only what can be done twice is begun again.
    expect(times, `${kind} ${name}`).toBeLessThanOrEqual(COMMANDS[kind].repeatable ? 1 + world.crashes : 1);
  }
  const ordered = [...world.given.values()].filter(({ kind }) => !COMMANDS[kind].urgent).map(({ name }) => name);
  const first = [...new Set(world.begun)].filter((name) => ordered.includes(name));
  expect(first, 'order').toEqual(ordered.filter((name) => first.includes(name)));
  for (const { command, state } of await world.receipts()) {
    if (state === 'SUCCEEDED') expect(world.done, `${command} is said to be done`).toContain(world.given.get(command)?.name);
  }
}

test('whatever happens between them, a command is done at most once and in order, what is acknowledged was done, and all ends in the right state', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(HAPPENINGS, { maxCommands: 60, size: 'max' }), async (happenings) => {
      const world = new World();
      await world.start();
      try {
        await fc.asyncModelRun(() => ({ model: { connected: false }, real: world }), happenings);
        await world.heal();
        await assertAlways(world);
        const receipts = await world.receipts();
        for (const { id, state } of await world.commands()) {
          const taken = world.box.journal.find(id)?.state;
          // What the box knows the ledger knows; of what the box never took nobody says that it was done.
          if (taken === undefined) expect(world.isOld(id) ? COMMAND_STATES : ['TIMED_OUT', 'CANCELED'], id).toContain(state);
          else expect(state, id).toBe(taken);
        }
        for (const [id, { name }] of world.given) {
          const taken = world.box.journal.find(id);
          const words = receipts.filter(({ command }) => command === id);
          if (world.isOld(id) && words.length === 0) continue;
          if (taken) expect(words, `receipts of ${name}`).toMatchObject([{ state: taken.state }]);
          else if (!world.isOld(id)) expect(world.begun).not.toContain(name);
        }
      } finally {
        await world.end();
      }
    }),
    { numRuns: Number(process.env.INTERLEAVINGS ?? 20), interruptAfterTimeLimit: 600_000 },
  );
}, 900_000);
