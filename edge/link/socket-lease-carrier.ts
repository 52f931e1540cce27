import { createConnection } from 'node:net';
import { z } from 'zod';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { type LeaseAnswer, leaseAnswerSchema } from '../../shared/lease/lease-answer.ts';
import { leaseClaimsSchema } from '../../shared/lease/lease-token.ts';
import type { LeaseCarrier } from './lease-carrier.ts';

/** An HSM that does not answer for so long hangs. */
const ANSWER_MS = 30_000;
/** Longest answer, in characters. */
const MOST_CHARACTERS = 64 * 1024;

const challengeSchema = z.object({ nonce: leaseClaimsSchema.shape.nonce });
const replySchema = z.object({
  result: z.unknown().optional(),
  error: z.object({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()) }).optional(),
});

/**
 * A KMS on the same machine, at its Unix socket: one JSON object a line. It is spoken to a few times a day, so each call has a
 * connection of its own.
 */
export class SocketLeaseCarrier implements LeaseCarrier {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async challenge(): Promise<string> {
    return (await this.#call('challenge', {}, challengeSchema)).nonce;
  }

  export(request: string): Promise<LeaseAnswer> {
    return this.#call('exportTek', { request }, leaseAnswerSchema);
  }

  async acknowledgeMove(token: string): Promise<void> {
    await this.#call('acknowledgeMove', { token }, z.object({}));
  }

  async #call<Schema extends z.ZodType>(operation: string, input: object, gives: Schema): Promise<z.output<Schema>> {
    const text = await this.#ask(JSON.stringify({ id: 1, operation, arguments: input }));
    const reply = replySchema.safeParse(parsed(text)).data;
    if (reply?.error) throw SecureGateError.fromJSON(reply.error);
    const given = gives.safeParse(reply?.result);
    if (!given.success) throw unavailable('What answers here is no KMS');
    return given.data;
  }

  #ask(message: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const socket = createConnection(this.#path);
    let text = '';
    socket.setEncoding('utf8');
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error('The KMS did not answer in time')));
    socket.on('data', (chunk) => {
      text += String(chunk);
      if (text.includes('\n') || text.length > MOST_CHARACTERS) socket.destroy();
    });
    socket.on('error', (error) => reject(unavailable('The KMS cannot be reached', error)));
    // Where it has failed, this comes too late.
    socket.on('close', () => resolve(text));
    socket.write(`${message}\n`);
    return promise;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unavailable(message: string, cause?: Error): SecureGateError {
  return new SecureGateError('kms_unavailable', message, { cause });
}
