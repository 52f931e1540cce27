import { z } from 'zod';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Gives, OPERATIONS, type Operation, type Reply, requestSchema } from './protocol.ts';
import { asVaultError } from './store/as-vault-error.ts';
import { Vault } from './vault.ts';

/** Answers the daemon's messages, one at a time and in order. Nothing that comes in can end the process. */
export class VaultService {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #vault: Vault | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** @returns the reply, or undefined for a message without a number to answer under */
  handle(message: unknown): Promise<Reply | undefined> {
    const reply = this.#last.then(() => this.#answer(message));
    this.#last = reply;
    return reply;
  }

  stop(): void {
    this.#vault?.stop();
    this.#vault = undefined;
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
      return { id, figures: this.#figures(), result };
    } catch (error) {
      const failure = asVaultError(error);
      if (failure.status >= 500) this.#logger.error({ err: failure }, 'a request failed');
      return { id, figures: this.#figures(), error: failure.toJSON() };
    }
  }

  #figures(): { faces: number; rejected: number } {
    return { faces: this.#vault?.faces ?? 0, rejected: this.#vault?.rejected ?? 0 };
  }

  async #run(operation: Operation, input: unknown): Promise<Gives<Operation>> {
    switch (operation) {
      case 'open':
        await this.#open(parse(OPERATIONS.open.takes, input));
        return {};
      case 'close':
        parse(OPERATIONS.close.takes, input);
        this.stop();
        return {};
      case 'enrolCustomer':
        return this.#opened().enrolCustomer(parse(OPERATIONS.enrolCustomer.takes, input));
      case 'addFace': {
        const { customerId, face } = parse(OPERATIONS.addFace.takes, input);
        return this.#opened().addFace(customerId, face);
      }
      case 'recordConsent': {
        const { customerId, consent } = parse(OPERATIONS.recordConsent.takes, input);
        this.#opened().recordConsent(customerId, consent);
        return {};
      }
      case 'search': {
        const query = parse(OPERATIONS.search.takes, input);
        const candidates = this.#opened().search(query);
        for (const embedding of query.embeddings) embedding.fill(0);
        return candidates;
      }
      case 'recordSighting':
        this.#opened().recordSighting(parse(OPERATIONS.recordSighting.takes, input));
        return {};
      case 'listSightings':
        return this.#opened().listSightings(parse(OPERATIONS.listSightings.takes, input).customerId);
      case 'listCustomers':
        parse(OPERATIONS.listCustomers.takes, input);
        return this.#opened().listCustomers();
      case 'getCustomer':
        return this.#opened().getCustomer(parse(OPERATIONS.getCustomer.takes, input).customerId);
    }
  }

  async #open({ scope, dataDir, keyDir, logLevel }: z.output<typeof OPERATIONS.open.takes>): Promise<void> {
    if (this.#vault) throw new SecureGateError('invalid_request', 'The vault is open already');
    this.#logger.level = logLevel;
    const vault = new Vault({ scope, dataDir, keyDir, clock: this.#clock, logger: this.#logger });
    await vault.start();
    this.#vault = vault;
  }

  #opened(): Vault {
    if (!this.#vault) throw new SecureGateError('vault_unavailable', 'The vault is not open');
    return this.#vault;
  }
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
