import { randomUUID } from 'node:crypto';
import type { PluginTransformQueryArgs, RootOperationNode } from 'kysely';
import { expect, onTestFinished } from 'vitest';
import type { Courier } from '../../cloud/fleet/courier.ts';
import type { KnownBox } from '../../cloud/fleet/known-boxes.ts';
import type { Ledger, LedgerOptions } from '../../cloud/fleet/ledger/ledger.ts';
import { Retention } from '../../cloud/fleet/retention/retention.ts';
import type { KmsClient } from '../../cloud/kms/client.ts';
import { JobLeases } from '../../cloud/store/job-leases.ts';
import { openStore, type Store, type StoreAddress } from '../../cloud/store/open-store.ts';
import { newOrgSchema } from '../../cloud/tenants/org.ts';
import { Orgs } from '../../cloud/tenants/orgs.ts';
import type { Executors } from '../../edge/link/commands/executors.ts';
import type { Removed } from '../../shared/fleet/ack.ts';
import type { Order } from '../../shared/fleet/command.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import { LinkedBox } from './linked-box.ts';
import { MemoryTransport } from './memory-transport.ts';
import { COMMAND_DAYS, type RunningLedger, startLedger } from './start-ledger.ts';

const LOGGER = createLogger('test', { level: 'silent' });
/** Who gives the commands. */
export const ADA = `usr_${'a'.repeat(26)}`;

/** What a box did, in the order in which it began. */
export class Deeds {
  readonly begun: string[] = [];
  readonly done: string[] = [];
  /** What is waited for before it is done. */
  gate: Promise<void> = Promise.resolve();

  readonly executors: Executors = {
    'renew-lease': ({ tenant }) => this.#do(`renew ${tenant}`),
    sync: () => this.#do('sync'),
    'restart-tenant': ({ tenant }) => this.#do(`restart ${tenant}`),
    'revoke-lease': ({ tenant }) => this.#do(`revoke ${tenant}`),
    'shred-tenant': ({ tenant }) => this.#remove(`shred ${tenant}`),
    'erase-customers': ({ tenant }) => this.#remove(`erase in ${tenant}`),
  };

  async #do(what: string): Promise<void> {
    this.begun.push(what);
    await this.gate;
    this.done.push(what);
  }

  async #remove(what: string): Promise<Removed> {
    await this.#do(what);
    return { keyFiles: 1, dataFiles: 0, bytes: 32, customers: 0, tpmCounter: false };
  }
}

/** A ledger of an org `acme` and its boxes, with the time in the test's hand. */
export class LedgerPlace {
  readonly transport: MemoryTransport;
  readonly kms: Pick<KmsClient, 'call'>;
  readonly known = new Map<string, KnownBox>();
  store: Store;
  #running: RunningLedger;
  /** Called before each step of the ledger that is started next: what it asks of the database, of the KMS, and of the way to the box. */
  beforeStep = (): void => undefined;
  /** Milliseconds since the Unix epoch. */
  at = Date.UTC(2026, 10, 22);

  private constructor(kms: Pick<KmsClient, 'call'>, transport: MemoryTransport, store: Store) {
    this.kms = kms;
    this.transport = transport;
    this.store = store;
    this.#running = this.#startLedger();
  }

  static async make(kms: Pick<KmsClient, 'call'>, address: StoreAddress, transport = new MemoryTransport()): Promise<LedgerPlace> {
    const place = new LedgerPlace(kms, transport, await openStore(address));
    const { id, ...fields } = newOrgSchema.parse({ id: 'acme', name: 'Acme', jurisdiction: 'CH' });
    await new Orgs(place.store.db, place.now).create(id, fields);
    onTestFinished(() => place.end());
    return place;
  }

  readonly now = (): number => this.at;

  get ledger(): Ledger {
    return this.#running.ledger;
  }

  /** A box that this place knows, with what it does; it is not connected. */
  async box(): Promise<{ box: LinkedBox; deeds: Deeds }> {
    const deeds = new Deeds();
    const commandKeys = [await this.kms.call('signingKey', { use: 'commands' })];
    const box = new LinkedBox({ transport: this.transport, commandKeys, executors: deeds.executors, now: this.now });
    this.known.set(box.id, { org: 'acme', signingKeys: [box.keyHash] });
    await box.start();
    onTestFinished(() => box.crash());
    return { box, deeds };
  }

  /** Gives a command, a moment after the one before. @returns its id */
  async give(device: string, order: Order, times: { notBefore?: string; expiresAt?: string } = {}): Promise<string> {
    this.at += 1;
    const { commands } = this.ledger;
    return (await commands.create('acme', commands.newId(), ADA, { device, order, ...times })).id;
  }

  async stateOf(id: string): Promise<string> {
    return (await this.ledger.commands.get('acme', id)).state;
  }

  /** Lets time pass, and the ledger look. */
  async pass(milliseconds: number): Promise<void> {
    this.at += milliseconds;
    await this.ledger.look();
  }

  /** Removes what is not kept any longer, as a process of the control plane does. */
  async sweep({ db } = this.store): Promise<void> {
    const leases = new JobLeases(db, { owner: randomUUID(), now: this.now });
    await new Retention({ db, leases, commandDays: COMMAND_DAYS, countDays: COMMAND_DAYS, now: this.now, logger: LOGGER }).sweep();
  }

  /** Ends the control plane, as a crash does, and starts it on another database where one is given. */
  async restart(address?: StoreAddress): Promise<void> {
    this.transport.forgetHandlers();
    await this.#running.stop();
    if (address) {
      await this.store.close();
      this.store = await openStore(address);
    }
    this.#running = this.#startLedger();
  }

  /** Another process of the same control plane. */
  async second(address: StoreAddress, { courier = true } = {}): Promise<Ledger> {
    const store = await openStore(address);
    const running = this.#startLedger(store, courier);
    onTestFinished(async () => {
      await running.stop();
      await store.close();
    });
    return running.ledger;
  }

  async end(): Promise<void> {
    this.transport.forgetHandlers();
    await this.#running.stop();
    await this.store.close();
    expect(this.transport.failures).toEqual([]);
  }

  #startLedger({ db } = this.store, hasCourier = true): RunningLedger {
    const boxes = { find: async (device: string) => this.known.get(device) };
    const courier = hasCourier ? this.transport.courier() : undefined;
    const parts = stepping(this.beforeStep, { db, kms: this.kms, courier });
    return startLedger({ ...parts, boxes, now: this.now, random: () => 0.5, logger: LOGGER });
  }
}

/** What the ledger works with, which says before each step that it comes. */
function stepping(step: () => void, { db, kms, courier }: Pick<LedgerOptions, 'db' | 'kms' | 'courier'>) {
  const transformQuery = ({ node }: PluginTransformQueryArgs): RootOperationNode => {
    step();
    return node;
  };
  const call = (...asked: Parameters<KmsClient['call']>): Promise<unknown> => {
    step();
    return kms.call(...asked);
  };
  const send: Courier['send'] = async (...message) => {
    step();
    await courier?.send(...message);
  };
  return {
    db: db.withPlugin({ transformQuery, transformResult: async ({ result }) => result }),
    kms: { call } as Pick<KmsClient, 'call'>,
    courier: courier && { ...courier, send },
  };
}
