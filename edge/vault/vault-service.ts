import { z } from 'zod';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { Clock } from '../runtime/clock.ts';
import { DeadMemory } from '../runtime/dead-memory.ts';
import type { KeySource } from './keys/key-source.ts';
import { type Leases, openLeases } from './keys/lease/open-leases.ts';
import { StandaloneKeySource } from './keys/standalone-key-source.ts';
import { lingerMs } from './linger-ms.ts';
import { HANDLERS } from './operations.ts';
import {
  type Figures,
  type Gives,
  OPERATIONS,
  type Operation,
  type OutboxSettings,
  type Reply,
  requestSchema,
  type Taken,
} from './protocol.ts';
import { parseScope, type VaultScope } from './scope.ts';
import { countTraces, type ShredPlace, shredTenant } from './shred/shred-tenant.ts';
import { asVaultError } from './store/as-vault-error.ts';
import { Vault } from './vault.ts';

/** What the daemon said of this vault when it opened it first. */
interface Setup {
  readonly scope: VaultScope;
  readonly dataDir: string;
  readonly source: KeySource;
  readonly leases: Leases | undefined;
  readonly outbox: OutboxSettings | undefined;
}

/** What the service does itself; the rest an open vault does. */
type OwnOperation = Exclude<Operation, keyof typeof HANDLERS>;

/** Answers the daemon's messages, one at a time and in order. Nothing that comes in can end the process. */
export class VaultService {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onLeaseEnd: () => void;
  readonly #deadMemory = new DeadMemory();
  #setup: Setup | undefined;
  #vault: Vault | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** @param onLeaseEnd called when the lease of an open vault is over: its process must not go on */
  constructor(clock: Clock, logger: Logger, onLeaseEnd: () => void) {
    this.#clock = clock;
    this.#logger = logger;
    this.#onLeaseEnd = onLeaseEnd;
  }

  /** @returns the reply, or undefined for a message without a number to answer under */
  handle(message: unknown): Promise<Reply | undefined> {
    const reply = this.#last.then(() => this.#answer(message));
    this.#last = reply;
    return reply;
  }

  async stop(): Promise<void> {
    this.#vault?.stop();
    this.#vault = undefined;
    await this.#setup?.leases?.stop();
  }

  async #answer(message: unknown): Promise<Reply | undefined> {
    const id = z.object({ id: z.number().int() }).safeParse(message).data?.id;
    if (id === undefined) {
      this.#logger.warn('a message without an id was ignored');
      return undefined;
    }
    try {
      const request = parse(requestSchema, message);
      const result = await this.#run(request.operation, request.arguments);
      const linger = lingerMs(request.operation);
      if (linger !== undefined) this.#deadMemory.clearWithin(linger);
      return { id, figures: this.#figures(), result };
    } catch (error) {
      const failure = asVaultError(error);
      if (failure.status >= 500) this.#logger.error({ err: failure }, 'a request failed');
      return { id, figures: this.#figures(), error: failure.toJSON() };
    }
  }

  #figures(): Figures {
    return {
      faces: this.#vault?.faceCount ?? 0,
      rejected: this.#vault?.rejected ?? 0,
      writable: this.#vault?.writable ?? true,
      outbox: this.#vault?.outboxSize ?? { items: 0, bytes: 0, dropped: 0 },
      keyringChanges: this.#vault?.keyringChanges ?? 0,
      keyringLosses: this.#vault?.keyringLosses ?? 0,
      epoch: this.#vault?.epoch ?? null,
      lease: this.#setup?.leases?.source.lease ?? null,
    };
  }

  async #run(operation: Operation, input: unknown): Promise<Gives<Operation>> {
    if (!isOwn(operation)) return this.#onVault(operation, input);
    return await this.#own[operation](parse(OPERATIONS[operation].takes, input) as never);
  }

  readonly #own: { readonly [O in OwnOperation]: (input: Taken<O>) => Promise<Gives<O>> } = {
    open: async (input) => {
      if (this.#vault) throw new SecureGateError('invalid_request', 'The vault is open already');
      this.#logger.level = input.logLevel;
      this.#setup ??= await this.#prepare(input);
      await this.#open(this.#setup);
      return {};
    },
    close: async () => {
      await this.stop();
      return {};
    },
    countTraces: async (input) => countTraces(this.#shredPlace(input)),
    shred: async (input) => {
      await shredTenant(this.#shredPlace(input));
      return {};
    },
    requestLease: async ({ nonce, epoch }) => ({ request: await this.#leases.source.request(nonce, epoch) }),
    requestOnStick: async () => this.#leases.source.requestOnStick(),
    acceptLease: async ({ answer }) => {
      const lease = await this.#leases.source.accept(answer);
      if (!this.#vault && this.#setup) await this.#open(this.#setup);
      this.#leases.watch.look();
      return lease;
    },
    sayMoved: async () => ({ token: await this.#leases.source.sayMoved() }),
    handOver: async ({ recovery }) => ({ token: await this.#leases.source.handOver(recovery) }),
    getLease: async () => ({ lease: this.#leases.source.lease ?? null }),
    forgetLease: async () => {
      await this.#leases.source.forget();
      return {};
    },
  };

  async #onVault<O extends keyof typeof HANDLERS>(operation: O, input: unknown): Promise<Gives<O>> {
    const takes: (typeof OPERATIONS)[O]['takes'] = OPERATIONS[operation].takes;
    return HANDLERS[operation](this.#opened(), parse(takes, input) as Taken<O>);
  }

  #shredPlace({ scope, dataDir, keyDir, lease, logLevel }: Taken<'shred'>): ShredPlace {
    if (this.#setup) throw new SecureGateError('invalid_request', 'The vault is open');
    this.#logger.level = logLevel;
    return { scope: parseScope(scope), dataDir, keyDir, lease };
  }

  async #prepare({ scope, dataDir, keyDir, lease, outbox }: Taken<'open'>): Promise<Setup> {
    const checked = parseScope(scope);
    if (!lease) {
      const source = new StandaloneKeySource({ keyDir, dataDir, tenant: checked.tenant });
      return { scope: checked, dataDir, source, leases: undefined, outbox };
    }
    const leases = await openLeases({ scope: checked, dataDir, keyDir, settings: lease, logger: this.#logger, onEnd: this.#onLeaseEnd });
    return { scope: checked, dataDir, source: leases.source, leases, outbox };
  }

  async #open({ scope, dataDir, source, leases, outbox }: Setup): Promise<void> {
    const vault = new Vault({ scope, dataDir, source, outbox, clock: this.#clock, logger: this.#logger });
    await vault.start();
    this.#vault = vault;
    leases?.watch.look();
  }

  get #leases(): Leases {
    if (!this.#setup?.leases) throw new SecureGateError('lease_not_used', 'This vault does not take its key under a lease');
    return this.#setup.leases;
  }

  #opened(): Vault {
    if (!this.#vault) throw new SecureGateError('vault_unavailable', 'The vault is not open');
    return this.#vault;
  }
}

function isOwn(operation: Operation): operation is OwnOperation {
  return !Object.hasOwn(HANDLERS, operation);
}

/** Says which field is wrong and how, never what was in it: it could be a name or an embedding. */
function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map(({ path, code, message }) => ({
    field: path.join('.'),
    problem: code === 'custom' ? message : code,
  }));
  throw new SecureGateError('invalid_request', 'A request to the vault is not valid', { details: { fields } });
}
