import { decodeJwt } from 'jose';
import { z } from 'zod';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { type Reply, replySchema } from '../../../shared/fleet/reply.ts';
import { type Request, requestSchema } from '../../../shared/fleet/request.ts';
import { handOverSchema } from '../../../shared/lease/hand-over.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import type { KmsClient } from '../../kms/client.ts';
import type { Courier } from '../courier.ts';
import type { Takers } from '../reception.ts';
import type { Recoveries } from '../recoveries.ts';
import { destroyLeftEpochs } from './destroy-left-epochs.ts';
import { type Pace, Paces } from './paces.ts';
import { Turns } from './turns.ts';

type LeaseRequest = Extract<Request, { kind: `lease-${string}` }>;

/** Of one box, which can have hundreds of tenants, each with a challenge and an export. */
const PACE: Pace = { perSecond: 4, atOnce: 64 };
/** Fewer than the KMS does at a time for this process: commands are signed between them. */
const AT_ONCE = 16;
/** What waits for seconds at the pace of a slow HSM. */
const MOST_WAITING = 256;
/** A box that waits for longer, and then for the KMS, could give up before its answer comes: it is better told when to come again. */
const PATIENCE_MS = 20_000;
/** A challenge, and the export that answers it. */
const TURNS_EACH = 2;

export interface LeaseRequestsOptions {
  readonly courier: Pick<Courier, 'answer'>;
  readonly kms: Pick<KmsClient, 'call'>;
  readonly recoveries: Pick<Recoveries, 'get'>;
  /** Milliseconds. */
  readonly monotonic: () => number;
  readonly logger: Logger;
}

/**
 * Brings what boxes ask for their leases to the KMS, and its answers back. Nothing of either is kept, here or on the way: whoever has no
 * answer asks again, and when all boxes do so at once, they come one after the other.
 */
export class LeaseRequests {
  readonly #options: LeaseRequestsOptions;
  readonly #paces = new Paces(PACE);
  readonly #turns: Turns;

  constructor(options: LeaseRequestsOptions) {
    this.#options = options;
    this.#turns = new Turns({
      atOnce: AT_ONCE,
      mostWaiting: MOST_WAITING,
      patienceMs: PATIENCE_MS,
      each: TURNS_EACH,
      monotonic: options.monotonic,
    });
  }

  /** What it wants to hear of boxes. */
  readonly takers: Takers = {
    requests: async (device, _box, payload) => {
      const request = requestSchema.parse(JSON.parse(payload.toString()));
      if (isOfLeases(request)) await this.#answer(device, await this.#replyTo(device, request));
    },
  };

  async #replyTo(device: string, request: LeaseRequest): Promise<Reply> {
    const { id, kind } = request;
    try {
      const retryAfter = this.#paces.take(device, this.#options.monotonic());
      if (retryAfter > 0) throw new SecureGateError('rate_limited', 'This box asks too often', { details: { retryAfter } });
      return await this.#turns.run(kind !== 'lease-challenge', () => this.#ask(device, request));
    } catch (error) {
      const { code, message, details } = SecureGateError.from(error);
      return { kind: 'refused', id, error: { code, message, details } };
    }
  }

  async #ask(device: string, request: LeaseRequest): Promise<Reply> {
    const { kms } = this.#options;
    const { id } = request;
    switch (request.kind) {
      case 'lease-challenge':
        return { kind: 'challenge', id, nonce: (await kms.call('challenge', {})).nonce };
      case 'lease-export':
        requireOf(device, request.request, 'export_rejected');
        return { kind: 'lease', id, answer: await kms.call('exportTek', { request: request.request }) };
      case 'lease-moved':
        requireOf(device, request.token, 'move_rejected');
        await kms.call('acknowledgeMove', { token: request.token });
        await destroyLeftEpochs(kms, request.token);
        return { kind: 'move-noted', id };
      case 'lease-hand-over':
        requireOf(device, request.token, 'hand_over_rejected');
        await this.#takeOver(request.token);
        return { kind: 'taken-over', id };
    }
  }

  async #takeOver(token: string): Promise<void> {
    const { kms, recoveries } = this.#options;
    const { org, recovery } = handOverSchema.parse(decodeJwt(token));
    await kms.call('takeOver', { recovery: await recoveries.get(org, recovery), handOver: token });
  }

  async #answer(device: string, reply: Reply): Promise<void> {
    try {
      await this.#options.courier.answer(device, Buffer.from(JSON.stringify(z.encode(replySchema, reply))));
    } catch (error) {
      this.#options.logger.debug({ err: error, device, kind: reply.kind }, 'a box was not answered');
    }
  }
}

function isOfLeases(request: Request): request is LeaseRequest {
  return request.kind.startsWith('lease-');
}

/** Whose signature it is finds out the KMS; that it is the one of the box that brings it, nobody knows there. */
function requireOf(device: string, token: string, rejection: 'export_rejected' | 'move_rejected' | 'hand_over_rejected'): void {
  if (subjectOf(token) !== device) throw new SecureGateError(rejection, 'This was not signed for the box that brought it');
}

function subjectOf(token: string): string | undefined {
  try {
    return decodeJwt(token).sub;
  } catch {
    return undefined;
  }
}
