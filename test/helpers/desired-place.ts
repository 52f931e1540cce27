import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import { DesiredStates } from '../../cloud/fleet/desired/desired-states.ts';
import type { KnownBox } from '../../cloud/fleet/known-boxes.ts';
import { Reception } from '../../cloud/fleet/reception.ts';
import { openStore, type Store, type StoreAddress } from '../../cloud/store/open-store.ts';
import { newOrgSchema, newTenantSchema } from '../../cloud/tenants/org.ts';
import { Orgs } from '../../cloud/tenants/orgs.ts';
import { Tenants } from '../../cloud/tenants/tenants.ts';
import { APPLIANCE_SCHEMA } from '../../edge/appliance/appliance-schema.ts';
import { StoredDesired } from '../../edge/appliance/stored-desired.ts';
import { type ChangeableBox, Convergence } from '../../edge/link/desired/convergence.ts';
import { type Step, subjectOf } from '../../edge/link/desired/steps.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { replySchema } from '../../shared/fleet/reply.ts';
import type { PublicKey } from '../../shared/lease/public-key.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import { TestDevice } from './kms.ts';
import { type TestOrg, testOrg } from './kms-org.ts';
import { MemoryTransport } from './memory-transport.ts';
import { ModelBox } from './model-box.ts';
import { testLogger } from './secrecy/test-logger.ts';

/** A process of the control plane, as far as it says what boxes should have. */
interface Process {
  readonly states: DesiredStates;
  readonly stop: () => Promise<void>;
}

/** The real code that says what boxes should have, and that follows it, with the time in the test's hand. */
export class DesiredPlace {
  readonly transport = new MemoryTransport();
  readonly known = new Map<string, KnownBox>();
  readonly org: TestOrg;
  store: Store;
  /** Milliseconds since the Unix epoch. */
  at = Date.UTC(2026, 10, 22);
  #process: Process;

  private constructor(org: TestOrg, store: Store) {
    this.org = org;
    this.store = store;
    this.#process = this.#start(store, true);
  }

  static async make(address: StoreAddress): Promise<DesiredPlace> {
    const org = await testOrg('software');
    const place = new DesiredPlace(org, await openStore(address));
    onTestFinished(() => place.#end());
    const { id, ...fields } = newOrgSchema.parse({ id: 'acme', name: 'Acme', jurisdiction: 'CH' });
    await new Orgs(place.store.db, place.now).create(id, fields);
    for (const tenant of ['hall', 'club']) await place.tenants.create(id, tenant, newTenantFields(tenant));
    return place;
  }

  readonly now = (): number => this.at;

  get tenants(): Tenants {
    return new Tenants(this.store.db, this.org.kms.client, this.now);
  }

  get states(): DesiredStates {
    return this.#process.states;
  }

  /** A box that is assigned to the tenants; it is not connected. */
  async box(...tenants: string[]): Promise<ConvergingBox> {
    const device = new TestDevice();
    for (const tenant of tenants) await this.org.assign(device, { tenant });
    this.known.set(device.id, { org: 'acme', signingKeys: [] });
    const row = { id: device.id, org: 'acme', name: 'rack', state: 'active', wrap: 'w', jkt: 'j', version: 1, enrolled_at: 0 } as const;
    await this.store.db
      .insertInto('devices')
      .values({ ...row, wrap_key: '', models: null })
      .execute();
    const commandKeys = [await this.org.kms.client.call('signingKey', { use: 'commands' })];
    const box = new ConvergingBox(device, this.transport, commandKeys, this.now);
    onTestFinished(() => box.crash());
    return box;
  }

  /** Chooses by which models a box should work. */
  async choose(device: string, models: string | null): Promise<void> {
    await this.store.db.updateTable('devices').set({ models }).where('id', '=', device).execute();
    await this.states.wake(device);
  }

  /** Lets time pass, and the control plane look. */
  async pass(milliseconds: number): Promise<void> {
    this.at += milliseconds;
    await this.states.look();
  }

  /** Ends the control plane, as a crash does, and starts it on another database where one is given. */
  async restart(address?: StoreAddress): Promise<void> {
    this.transport.forgetHandlers();
    await this.#process.stop();
    if (address) {
      await this.store.close();
      this.store = await openStore(address);
    }
    this.#process = this.#start(this.store, true);
  }

  /** Another process of the same control plane, without a way to boxes. */
  async second(address: StoreAddress): Promise<DesiredStates> {
    const store = await openStore(address);
    const { states, stop } = this.#start(store, false);
    onTestFinished(async () => {
      await stop();
      await store.close();
    });
    return states;
  }

  async #end(): Promise<void> {
    this.transport.forgetHandlers();
    await this.#process.stop();
    await this.store.close();
  }

  #start({ db }: Store, hasCourier: boolean): Process {
    const boxes = { find: async (device: string) => this.known.get(device) };
    const courier = hasCourier ? this.transport.courier() : undefined;
    const logger = testLogger('cloud');
    const states = new DesiredStates({ db, kms: this.org.kms.client, boxes, courier, now: this.now, random: () => 0.5, logger });
    const reception = courier && new Reception({ courier, boxes, takers: [states.takers], logger });
    states.start();
    reception?.start();
    return {
      states,
      stop: async () => {
        await reception?.stop();
        await states.stop();
      },
    };
  }
}

function newTenantFields(name: string) {
  const { id: _id, ...fields } = newTenantSchema.parse({ id: name, name });
  return fields;
}

/** A box that follows; what it has, and what it has taken, outlive a crash of it. */
export class ConvergingBox {
  readonly device: TestDevice;
  readonly model = new ModelBox([]);
  readonly #transport: MemoryTransport;
  readonly #commandKeys: readonly PublicKey[];
  readonly #now: () => number;
  readonly #disk = new Database(':memory:');
  #convergence: Convergence | undefined;
  /** Codes of why a credential of a camera cannot be used. */
  readonly refusedCredentials = new Map<string, 'camera_credential_missing'>();
  /** What fails on this box, by the camera or the tenant. */
  readonly broken = new Set<string>();
  /** Steps until it is as if the power was cut. */
  stepsLeft = Number.POSITIVE_INFINITY;

  constructor(device: TestDevice, transport: MemoryTransport, commandKeys: readonly PublicKey[], now: () => number) {
    this.device = device;
    this.#transport = transport;
    this.#commandKeys = commandKeys;
    this.#now = now;
    for (const step of APPLIANCE_SCHEMA) this.#disk.exec(step);
  }

  get id(): string {
    return this.device.id;
  }

  get journal(): StoredDesired {
    return new StoredDesired(this.#disk);
  }

  /** Starts it and connects it. */
  async connect(): Promise<void> {
    const { transport, convergence } = this.start();
    await transport.connect(this.id);
    convergence.wake();
  }

  /** Starts it without a network. */
  start(): { transport: MemoryTransport; convergence: Convergence } {
    const transport = this.#transport;
    const uplink = transport.uplink(this.id);
    const convergence = new Convergence({
      device: this.id,
      org: 'acme',
      uplink,
      commandKeys: () => this.#commandKeys,
      journal: this.journal,
      box: this.#box(),
      about: { boxVersion: '0.1.0' },
      now: this.#now,
      waits: () => new BackOff(2, 500),
      logger: testLogger('edge'),
    });
    uplink.onMessage(async (channel, payload) => {
      if (channel === 'desired') await convergence.onDesired(payload);
      const reply = channel === 'replies' ? replySchema.parse(JSON.parse(payload.toString())) : undefined;
      if (reply?.kind === 'report-kept') convergence.onReply['report-kept'](reply);
    });
    uplink.onConnect(async () => convergence.onConnect());
    convergence.start();
    this.#convergence = convergence;
    return { transport, convergence };
  }

  async crash(): Promise<void> {
    this.#transport.cut(this.id);
    await this.#convergence?.stop();
    this.stepsLeft = Number.POSITIVE_INFINITY;
  }

  #box(): ChangeableBox {
    const executors = Object.fromEntries(
      Object.entries(this.model.executors).map(([kind, execute]) => [
        kind,
        async (step: Step) => {
          if (this.stepsLeft <= 0) {
            this.#transport.cut(this.id);
            throw new Error('the power is cut');
          }
          this.stepsLeft -= 1;
          if (this.broken.has('camera' in step ? step.camera : subjectOf(step)))
            throw new SecureGateError('storage_failed', 'The disk is full');
          await (execute as (step: object) => Promise<void>)(step);
        },
      ]),
    ) as unknown as ChangeableBox['executors'];
    return {
      actual: () => this.model.actual,
      settingsOf: ({ id: _id, credential, ...settings }) => {
        const refused = credential === null ? undefined : this.refusedCredentials.get(credential);
        if (refused) throw new SecureGateError(refused, 'There is no such credential on this box');
        return settings;
      },
      shredded: () => this.model.shredded,
      executors,
    };
  }
}
