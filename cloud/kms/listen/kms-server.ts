import type { Socket } from 'node:net';
import { z } from 'zod';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import type { KmsOperations } from '../operations.ts';
import { MOST_CHARACTERS, requestSchema } from '../protocol.ts';
import { readMessages } from '../read-messages.ts';
import type { Listener } from './listener.ts';

/** Calls of one connection at a time; more wait in its socket. */
const MOST_AT_ONCE = 64;

/** Answers whoever its listeners let in. Nothing that comes in can end the process. */
export class KmsServer {
  readonly #listeners: readonly Listener[];
  readonly #operations: KmsOperations;
  readonly #logger: Logger;
  readonly #connections = new Set<Socket>();
  readonly #calls = new Set<Promise<void>>();

  constructor(listeners: readonly Listener[], operations: KmsOperations, logger: Logger) {
    this.#listeners = listeners;
    this.#operations = operations;
    this.#logger = logger;
  }

  /** @throws {SecureGateError} `storage_failed`, `config_invalid`, `secret_file_unsafe` */
  async start(): Promise<void> {
    for (const listener of this.#listeners) await listener.start((socket) => this.#take(socket));
  }

  /** Finishes the calls that were begun. */
  async stop(): Promise<void> {
    const closed = Promise.all(this.#listeners.map((listener) => listener.stop()));
    await Promise.all(this.#calls);
    for (const socket of this.#connections) socket.end();
    for (const socket of this.#connections) socket.destroySoon();
    await closed;
  }

  #take(socket: Socket): void {
    this.#connections.add(socket);
    socket.on('close', () => this.#connections.delete(socket));
    socket.on('error', (error) => this.#logger.debug({ err: error }, 'a connection broke'));
    let open = 0;
    readMessages(socket, MOST_CHARACTERS, (message) => {
      open += 1;
      if (open >= MOST_AT_ONCE) socket.pause();
      const call = this.#answer(message)
        .then((reply) => {
          if (reply === undefined || socket.destroyed) return;
          socket.write(`${JSON.stringify(reply)}\n`);
        })
        .finally(() => {
          open -= 1;
          this.#calls.delete(call);
          if (open < MOST_AT_ONCE) socket.resume();
        });
      this.#calls.add(call);
    });
  }

  async #answer(message: unknown): Promise<object | undefined> {
    const id = z.object({ id: z.int() }).safeParse(message).data?.id;
    if (id === undefined) {
      this.#logger.warn('a message without an id was ignored');
      return undefined;
    }
    try {
      const request = requestSchema.safeParse(message);
      if (!request.success) throw new SecureGateError('invalid_request', 'This is not a request to the KMS');
      return { id, result: await this.#operations.run(request.data.operation, request.data.arguments) };
    } catch (error) {
      return { id, error: SecureGateError.from(error).toJSON() };
    }
  }
}
