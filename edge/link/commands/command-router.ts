import { decodeJwt } from 'jose';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { COMMANDS, type CommandClaims, commandClaimsSchema, comparePairs, type Order, orderSchema } from '../../../shared/fleet/command.ts';
import type { PublicKey } from '../../../shared/lease/public-key.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import { SerialWork } from '../../../shared/runtime/serial-work.ts';
import type { Acks, Outcome } from './acks.ts';
import type { CommandJournal, JournalEntry } from './command-journal.ts';
import { type Executors, execute } from './executors.ts';
import { verifyCommand } from './verify-command.ts';
import { withinTime } from './within-time.ts';

/** What takes longer hangs. */
const LONGEST_MS = 600_000;

export interface CommandRouterOptions {
  readonly device: string;
  /** By which the control plane signs commands; more than one while it changes its key. */
  readonly commandKeys: () => readonly PublicKey[];
  readonly journal: CommandJournal;
  readonly acks: Acks;
  readonly executors: Executors;
  /** Tells the ledger how far this box is: it seems to have forgotten. */
  readonly sayHello: () => void;
  /** The box's trusted time, milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly logger: Logger;
}

/**
 * Takes commands: each that holds is written down before it begins, is done once, in the order of the pairs, and answered by a signed word.
 * What does not hold is answered by nothing. Urgent ones wait for no other.
 */
export class CommandRouter {
  readonly #options: CommandRouterOptions;
  readonly #ordered = new SerialWork();
  #stopped = false;

  constructor(options: CommandRouterOptions) {
    this.#options = options;
  }

  /** Goes on with what a crash or a stop broke off, where it can be done twice. */
  start(): void {
    for (const { id, token } of this.#options.journal.begun()) {
      const claims = commandClaimsSchema.parse(decodeJwt(token));
      const order = orderSchema.safeParse(claims.order).data;
      this.#options.logger.info({ command: id, kind: claims.order.kind }, 'a command was broken off');
      if (order && COMMANDS[order.kind].repeatable) this.#perform(claims, token, order);
      else void this.#settle(claims, token, { state: 'FAILED', reason: 'command_interrupted' });
    }
  }

  /** What is at work goes on or not; it is known at the next start. */
  stop(): void {
    this.#stopped = true;
  }

  /** Resolves when the command is written down, or dropped; not when it is done. */
  async take(payload: Buffer): Promise<void> {
    const { device, commandKeys, journal, acks, logger, now, sayHello } = this.#options;
    const token = payload.toString('latin1');
    let claims: CommandClaims;
    try {
      claims = await verifyCommand(token, device, commandKeys());
    } catch (error) {
      return logger.warn({ err: error }, 'something that is no command to this box was dropped');
    }
    const { jti: id, pair, nbf = 0, exp = Number.POSITIVE_INFINITY } = claims;
    if (this.#stopped) return;
    const taken = journal.find(id);
    if (taken) return await this.#repeat(taken, claims);
    const { data: order } = orderSchema.safeParse(claims.order);
    if (pair === undefined && order && !COMMANDS[order.kind].urgent) {
      return logger.warn({ command: id }, 'a command without its place was dropped');
    }
    const highest = journal.highest();
    if (pair && highest && comparePairs(pair, highest) <= 0) {
      logger.info({ command: id, pair, highest }, 'a command is older than what was taken before');
      return sayHello();
    }
    if (nbf * 1000 > now()) return logger.info({ command: id }, 'a command came too early by the clock of this box; it comes again');
    if (exp * 1000 <= now()) return await this.#refuse(claims, token, 'command_expired');
    if (!order) return await this.#refuse(claims, token, 'command_unknown');
    journal.begin(claims, token);
    this.#perform(claims, token, order);
    await acks.say(await acks.sign(claims, token, { state: 'IN_PROGRESS' }));
  }

  /** It has come before: the ledger has not heard the word on it. */
  async #repeat({ id, token, ack }: JournalEntry, claims: CommandClaims): Promise<void> {
    const { journal, acks } = this.#options;
    if (claims.pair) journal.raise(id, claims.pair);
    await acks.say(ack ?? (await acks.sign(claims, token, { state: 'IN_PROGRESS' })));
  }

  async #refuse(claims: CommandClaims, token: string, reason: string): Promise<void> {
    const { journal, acks, logger } = this.#options;
    logger.warn({ command: claims.jti, kind: claims.order.kind, reason }, 'a command was refused');
    const ack = await acks.sign(claims, token, { state: 'REJECTED', reason });
    if (this.#stopped || journal.find(claims.jti)) return;
    journal.refuse(claims, token, ack);
    acks.wake();
  }

  #perform(claims: CommandClaims, token: string, order: Order): void {
    const work = async (): Promise<void> => {
      if (!this.#stopped) await this.#settle(claims, token, await this.#execute(order));
    };
    void (COMMANDS[order.kind].urgent ? work() : this.#ordered.run(work));
  }

  async #execute(order: Order): Promise<Outcome> {
    const { executors, logger } = this.#options;
    try {
      return { state: 'SUCCEEDED', removed: await withinTime(execute(executors, order), LONGEST_MS) };
    } catch (error) {
      const failure = SecureGateError.from(error);
      logger.warn({ err: failure, kind: order.kind }, 'a command was not done');
      return { state: 'FAILED', reason: failure.code };
    }
  }

  /** Where this fails, it is known at the next start. */
  async #settle(claims: CommandClaims, token: string, outcome: Outcome): Promise<void> {
    const { journal, acks, logger } = this.#options;
    try {
      const ack = await acks.sign(claims, token, outcome);
      if (this.#stopped) return;
      journal.settle(claims.jti, outcome.state, ack);
      logger.info({ command: claims.jti, kind: claims.order.kind, ...outcome }, 'a command is settled');
      acks.wake();
    } catch (error) {
      logger.error({ err: error, command: claims.jti }, 'what came of a command could not be written down');
    }
  }
}
