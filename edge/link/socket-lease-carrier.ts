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
const errorSchema = z.object({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()) });
const replySchema = z.union([z.object({ result: z.unknown() }).required(), z.object({ error: errorSchema })]);

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
    return challengeSchema.parse(await this.#call('challenge', {})).nonce;
  }

  async export(request: string): Promise<LeaseAnswer> {
    return leaseAnswerSchema.parse(await this.#call('exportTek', { request }));
  }

  async #call(operation: string, input: object): Promise<unknown> {
    const line = await this.#ask(JSON.stringify({ id: 1, operation, arguments: input }));
    const reply = replySchema.safeParse(parsed(line));
    if (!reply.success) throw unavailable('What the KMS answered is no answer');
    if ('error' in reply.data) throw SecureGateError.fromJSON(reply.data.error);
    return reply.data.result;
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
