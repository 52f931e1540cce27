import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Clock } from '../runtime/clock.ts';
import { MessageReader } from './channel/message-reader.ts';
import { CHANNEL_FD } from './channel/open-channel.ts';
import { sendMessage } from './channel/send-message.ts';
import { type Figures, type Gives, type LeaseView, OPERATIONS, type Operation, replySchema, type Takes } from './protocol.ts';

const ENTRY = fileURLToPath(new URL('./main.ts', import.meta.url));

/** More requests than this are not waiting for a busy vault, they are piling up. */
const MAX_PENDING = 1024;
/** A vault that does not answer for so long hangs (a dying disk): it is ended, and the daemon starts another. */
const ANSWER_MS = 30_000;
const CLOSE_MS = 5_000;

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: SecureGateError) => void;
  readonly timer: NodeJS.Timeout | undefined;
}

/** They read or remove all there is and take as long as it takes; whoever starts the vault can abort it. */
const UNTIMED: ReadonlySet<Operation> = new Set<Operation>(['open', 'acceptLease', 'examine', 'shred']);

/** One run of a vault's process, from fork to exit. */
export class VaultProcess {
  readonly #clock: Clock;
  readonly #onExit: (code: number | null) => void;
  readonly #pending = new Map<number, Pending>();
  #child: ChildProcess | undefined;
  #channel: Socket | undefined;
  #exited: Promise<void> = Promise.resolve();
  #figures: Figures = {
    ...{ faces: 0, rejected: 0, writable: true, outbox: { items: 0, bytes: 0, dropped: 0 } },
    ...{ keyringChanges: 0, keyringLosses: 0, epoch: null, lease: null },
  };
  #answeredAt = 0;
  #nextId = 1;

  /** @param onExit called once with its exit code when the process is gone; all requests have been rejected by then */
  constructor(clock: Clock, onExit: (code: number | null) => void) {
    this.#clock = clock;
    this.#onExit = onExit;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** As of the last reply. */
  get figures(): Figures {
    return this.#figures;
  }

  /** The lease as of the last reply, and what is left of it now. */
  get lease(): LeaseView | null {
    const { lease } = this.#figures;
    return lease && { ...lease, leftMs: lease.leftMs - (this.#clock.monotonic() - this.#answeredAt) };
  }

  start(): void {
    // SIGUSR1 would open Node's debugger, and with it the keys, to everybody on this machine.
    const child = spawn(process.execPath, ['--disable-sigusr1', ENTRY], {
      // Nothing of the daemon's environment or arguments is the vault's business. Freed memory is overwritten (glibc), since
      // embeddings would otherwise stay readable in it.
      env: { PATH: process.env.PATH, MALLOC_PERTURB_: process.env.MALLOC_PERTURB_ ?? '165' },
      // stdout is for the daemon's events alone; the vault logs to stderr.
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    });
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      let gone = false;
      const end = (code: number | null, error?: Error): void => {
        if (gone) return;
        gone = true;
        this.#rejectAll(error);
        resolve();
        this.#onExit(code);
      };
      child.once('exit', (code) => end(code));
      // Without a pid it never ran, and no `exit` will follow. Other errors are a failed send or kill, which `exit` or the caller reports.
      child.on('error', (error) => {
        if (child.pid === undefined) end(null, error);
      });
    });
    const reader = new MessageReader(({ message }) => this.#receive(message));
    // Where the daemon has no descriptor left, there is no stream either, and `error` follows.
    this.#channel = child.stdio?.[CHANNEL_FD] as Socket | undefined;
    this.#channel?.on('data', (piece) => this.#read(reader, piece));
    // What could not be sent is told to who sent it.
    this.#channel?.on('error', () => undefined);
  }

  /**
   * @returns the operation's result
   * @throws {SecureGateError} the vault's own error; `vault_unavailable` when the process ends first, `overloaded` when too much waits
   */
  async call<O extends Operation>(operation: O, input: Takes<O>): Promise<Gives<O>> {
    const channel = this.#channel;
    if (!channel?.writable) throw unavailable();
    if (this.#pending.size >= MAX_PENDING) throw new SecureGateError('overloaded', 'Too many requests wait for the vault');
    const id = this.#nextId++;
    const answered = Promise.withResolvers<unknown>();
    const timer = UNTIMED.has(operation) ? undefined : setTimeout(() => this.kill(), ANSWER_MS);
    this.#pending.set(id, { timer, resolve: answered.resolve, reject: answered.reject });
    sendMessage(channel, { id, operation, arguments: input }, (error) => {
      if (error) this.#take(id)?.reject(unavailable(error));
    });
    const result = await answered.promise;
    const gives: (typeof OPERATIONS)[O]['gives'] = OPERATIONS[operation].gives;
    return gives.parse(result) as Gives<O>;
  }

  /** Lets the vault finish and close its files, then ends it. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => this.kill(), CLOSE_MS);
    try {
      if (this.#channel?.writable) await this.call('close', {});
    } catch (error) {
      // It ended before it answered; being gone is what was asked for.
      if (SecureGateError.from(error).code !== 'vault_unavailable') throw error;
    } finally {
      this.#channel?.destroy();
      await this.#exited;
      clearTimeout(timer);
    }
  }

  /** Ends the process at once; what it acknowledged is on the disk. */
  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  /** A vault that answers nonsense is broken. */
  #read(reader: MessageReader, piece: Buffer): void {
    try {
      reader.take(piece);
    } catch {
      this.kill();
    } finally {
      piece.fill(0);
    }
  }

  #receive(message: unknown): void {
    const parsed = replySchema.safeParse(message);
    if (!parsed.success) {
      this.kill();
      return;
    }
    const reply = parsed.data;
    this.#figures = reply.figures;
    this.#answeredAt = this.#clock.monotonic();
    const pending = this.#take(reply.id);
    if ('error' in reply) pending?.reject(SecureGateError.fromJSON(reply.error));
    else pending?.resolve(reply.result);
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    clearTimeout(pending?.timer);
    this.#pending.delete(id);
    return pending;
  }

  #rejectAll(cause?: Error): void {
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(unavailable(cause));
  }
}

function unavailable(cause?: Error): SecureGateError {
  return new SecureGateError('vault_unavailable', 'The vault is not running', { cause });
}
