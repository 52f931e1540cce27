import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Reply } from '../../../shared/fleet/reply.ts';
import type { Request } from '../../../shared/fleet/request.ts';
import { newUlid } from '../../../shared/ids/ulid.ts';
import type { LinkPart } from '../link-part.ts';
import type { Uplink } from '../uplink.ts';

/** Whoever answers later is heard no more. */
const ANSWER_MS = 30_000;

/** A reply that answers a request. */
type Answer = Exclude<Extract<Reply, { id: string }>, { kind: 'refused' }>;
type AnswerOf<Kind extends Answer['kind']> = Extract<Answer, { kind: Kind }>;
/** A request without its id. */
type Asked = Request extends infer Each ? (Each extends Request ? Omit<Each, 'id'> : never) : never;

interface Waiting {
  readonly gives: Answer['kind'];
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: SecureGateError) => void;
}

export interface RequestsOptions {
  readonly uplink: Pick<Uplink, 'ask'>;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** What this box asks the control plane: each request is answered at once, or it has failed and whoever asked may ask anew. */
export class Requests implements LinkPart {
  readonly #options: RequestsOptions;
  readonly #waiting = new Map<string, Waiting>();

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /**
   * @param gives the kind of reply that answers it; another one is none
   * @throws {SecureGateError} `broker_unavailable`, `cloud_unavailable`, and what the control plane refuses it with
   */
  async ask<Kind extends Answer['kind']>(asked: Asked, gives: Kind): Promise<AnswerOf<Kind>> {
    const id = newUlid(this.#options.now());
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, { gives, resolve, reject });
    const timer = setTimeout(() => reject(unanswered('The control plane did not answer in time')), ANSWER_MS);
    try {
      this.#options.uplink.ask(Buffer.from(JSON.stringify({ ...asked, id } satisfies Request))).catch(reject);
      return (await promise) as AnswerOf<Kind>;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /** Nobody answers any more. */
  stop(): void {
    this.#giveUp('The link has ended');
  }

  /** What was asked over an earlier connection is answered no more. */
  readonly onConnect = (): void => this.#giveUp('The connection was lost before the answer');

  readonly onReply: NonNullable<LinkPart['onReply']> = {
    challenge: (answer) => this.#take(answer),
    lease: (answer) => this.#take(answer),
    'move-noted': (answer) => this.#take(answer),
    refused: ({ id, error }) => this.#waiting.get(id)?.reject(SecureGateError.fromJSON(error)),
  };

  #take(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    if (waiting?.gives === answer.kind) waiting.resolve(answer);
  }

  #giveUp(reason: string): void {
    for (const { reject } of this.#waiting.values()) reject(unanswered(reason));
  }
}

function unanswered(message: string): SecureGateError {
  return new SecureGateError('cloud_unavailable', message);
}
