import { z } from 'zod';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { Clock } from '../runtime/clock.ts';
import { HANDLERS } from './operations.ts';
import { type Figures, type Gives, OPERATIONS, type Operation, type Reply, requestSchema, type Taken } from './protocol.ts';
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

  #figures(): Figures {
    return { faces: this.#vault?.faceCount ?? 0, rejected: this.#vault?.rejected ?? 0, writable: this.#vault?.writable ?? true };
  }

  async #run(operation: Operation, input: unknown): Promise<Gives<Operation>> {
    if (operation === 'open') {
      await this.#open(parse(OPERATIONS.open.takes, input));
      return {};
    }
    if (operation === 'close') {
      parse(OPERATIONS.close.takes, input);
      this.stop();
      return {};
    }
    return this.#onVault(operation, input);
  }

  #onVault<O extends keyof typeof HANDLERS>(operation: O, input: unknown): Gives<O> {
    const takes: (typeof OPERATIONS)[O]['takes'] = OPERATIONS[operation].takes;
    return HANDLERS[operation](this.#opened(), parse(takes, input) as Taken<O>);
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
