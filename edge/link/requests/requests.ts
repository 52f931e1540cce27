import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Reply } from '../../../shared/fleet/reply.ts';
import type { Request } from '../../../shared/fleet/request.ts';
import { newUlid } from '../../../shared/ids/ulid.ts';
import type { LinkPart } from '../link-part.ts';
import type { Uplink } from '../uplink.ts';

/**
 * For how long an answer is waited for: at first longer than the control plane lets a request wait for its turn and then for the KMS. Whoever
 * answers later is heard no more.
 */
const PATIENCE_MS = { first: 60_000, longest: 300_000 };

/** A reply that answers a request. */
type Answer = Exclude<Extract<Reply, { id: string }>, { kind: 'refused' }>;
type AnswerOf<Kind extends Answer['kind']> = Extract<Answer, { kind: Kind }>;
/** A request without its id. */
type Asked = Request extends infer Each ? (Each extends Request ? Omit<Each, 'id'> : never) : never;

interface Waiting {
  readonly askedAt: number;
  readonly gives: Answer['kind'];
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: SecureGateError) => void;
}

export interface RequestsOptions {
  readonly uplink: Pick<Uplink, 'ask'>;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Milliseconds. */
  readonly monotonic: () => number;
}

/** What this box asks the control plane: each request is answered at once, or it has failed and whoever asked may ask anew. */
export class Requests implements LinkPart {
  readonly #options: RequestsOptions;
  readonly #waiting = new Map<string, Waiting>();
  /**
   * Longer where answers come late. A control plane that has more to do than it can would otherwise work for those alone who have given up,
   * and are asking again.
   */
  #patienceMs = PATIENCE_MS.first;

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /**
   * @param gives the kind of reply that answers it; another one is none
   * @throws {SecureGateError} `broker_unavailable`, `cloud_unavailable`, and what the control plane refuses it with
   */
  async ask<Kind extends Answer['kind']>(asked: Asked, gives: Kind): Promise<AnswerOf<Kind>> {
    const { uplink, now, monotonic } = this.#options;
    const id = newUlid(now());
    const patienceMs = this.#patienceMs;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, { askedAt: monotonic(), gives, resolve, reject });
    const timer = setTimeout(() => {
      this.#patienceMs = within(Math.max(this.#patienceMs, 2 * patienceMs));
      reject(unanswered('The control plane did not answer in time'));
    }, patienceMs);
    try {
      uplink.ask(Buffer.from(JSON.stringify({ ...asked, id } satisfies Request))).catch(reject);
      return (await promise) as AnswerOf<Kind>;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /** Nobody answers any more. */
  async stop(): Promise<void> {
    this.#giveUp('The link has ended');
  }

  /** What was asked over an earlier connection is answered no more. */
  readonly onConnect = (): void => this.#giveUp('The connection was lost before the answer');

  readonly onReply: NonNullable<LinkPart['onReply']> = {
    challenge: (answer) => this.#take(answer),
    lease: (answer) => this.#take(answer),
    'move-noted': (answer) => this.#take(answer),
    'taken-over': (answer) => this.#take(answer),
    refused: ({ id, error }) => this.#answered(id)?.reject(SecureGateError.fromJSON(error)),
  };

  #take(answer: Answer): void {
    if (this.#waiting.get(answer.id)?.gives === answer.kind) this.#answered(answer.id)?.resolve(answer);
  }

  /** @returns who waits for it */
  #answered(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting) this.#patienceMs = within(2 * (this.#options.monotonic() - waiting.askedAt));
    return waiting;
  }

  #giveUp(reason: string): void {
    for (const { reject } of this.#waiting.values()) reject(unanswered(reason));
  }
}

function within(patienceMs: number): number {
  return Math.min(Math.max(patienceMs, PATIENCE_MS.first), PATIENCE_MS.longest);
}

function unanswered(message: string): SecureGateError {
  return new SecureGateError('cloud_unavailable', message);
}
