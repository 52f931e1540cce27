import { chmodSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { z } from 'zod';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { KmsOperations } from './operations.ts';
import { MOST_CHARACTERS, requestSchema } from './protocol.ts';
import { readMessages } from './read-messages.ts';

/** Calls of one connection at a time; more wait in its socket. */
const MOST_AT_ONCE = 64;

/** Answers on a Unix socket. Nothing that comes in can end the process. */
export class KmsServer {
  readonly #path: string;
  readonly #operations: KmsOperations;
  readonly #logger: Logger;
  readonly #connections = new Set<Socket>();
  readonly #calls = new Set<Promise<void>>();
  #server: Server | undefined;

  constructor(path: string, operations: KmsOperations, logger: Logger) {
    this.#path = path;
    this.#operations = operations;
    this.#logger = logger;
  }

  /** @throws {SecureGateError} `storage_failed` when the folder is open to everybody or cannot hold a socket */
  async start(): Promise<void> {
    const folder = dirname(this.#path);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if ((statSync(folder).mode & 0o007) !== 0) {
      throw new SecureGateError('storage_failed', 'Everybody may enter the folder of the socket: chmod o= it', { details: { folder } });
    }
    // Who holds the records (`kms.db`) is the only KMS here: a socket that is there was left by one that was killed.
    rmSync(this.#path, { force: true });
    const server = createServer((socket) => this.#take(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(new SecureGateError('storage_failed', 'The socket cannot be made', { cause })));
      server.listen(this.#path, resolve);
    });
    // Whom the folder lets in, by its group, may speak to us.
    chmodSync(this.#path, 0o660);
  }

  /** Finishes the calls that were begun. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
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
