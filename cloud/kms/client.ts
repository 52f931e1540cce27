import type { Socket } from 'node:net';
import { z } from 'zod';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { connectToKms, type KmsAddress } from './connect-to-kms.ts';
import { type Gives, MOST_CHARACTERS, type Operation, replySchema, schemasOf, type Takes } from './protocol.ts';
import { readMessages } from './read-messages.ts';

export { MOST_SIGNED } from './protocol.ts';

/** An HSM that does not answer for so long hangs. */
const ANSWER_MS = 30_000;

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: SecureGateError) => void;
  readonly timer: NodeJS.Timeout;
}

/** The KMS as other processes see it. It connects when it is first used, and again after the connection broke. */
export class KmsClient {
  readonly #address: KmsAddress;
  readonly #pending = new Map<number, Pending>();
  #socket: Socket | undefined;
  #nextId = 1;

  constructor(address: KmsAddress) {
    this.#address = address;
  }

  /**
   * @throws {SecureGateError} the KMS's own error, `invalid_request`, or `kms_unavailable` (it cannot be reached, or the
   * connection ended before the answer: then the work may have been done or not, and can be asked for again)
   */
  async call<O extends Operation>(operation: O, input: Takes<O>): Promise<Gives<O>> {
    const { takes, gives } = schemasOf(operation);
    const id = this.#nextId++;
    const line = `${JSON.stringify({ id, operation, arguments: z.encode(takes, input) })}\n`;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => this.#take(id)?.reject(unavailable('The KMS did not answer in time')), ANSWER_MS);
    this.#pending.set(id, { resolve, reject, timer });
    this.#socket ??= this.#connect();
    this.#socket.write(line);
    return gives.parse(await promise);
  }

  close(): void {
    this.#socket?.destroy();
  }

  #connect(): Socket {
    const socket = connectToKms(this.#address);
    let cause: Error | undefined;
    socket.on('error', (error) => {
      cause = error;
    });
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined;
      for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(unavailable('The KMS cannot be reached', cause));
    });
    readMessages(socket, MOST_CHARACTERS, (message) => this.#receive(socket, message));
    return socket;
  }

  #receive(socket: Socket, message: unknown): void {
    const parsed = replySchema.safeParse(message);
    if (!parsed.success) {
      socket.destroy();
      return;
    }
    const pending = this.#take(parsed.data.id);
    if ('error' in parsed.data) pending?.reject(SecureGateError.fromJSON(parsed.data.error));
    else pending?.resolve(parsed.data.result);
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    clearTimeout(pending?.timer);
    this.#pending.delete(id);
    return pending;
  }
}

function unavailable(message: string, cause?: Error): SecureGateError {
  return new SecureGateError('kms_unavailable', message, { cause });
}
