import { setTimeout as pause } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { AckClaims } from '../../../shared/fleet/ack.ts';
import { helloSchema } from '../../../shared/fleet/hello.ts';
import { Ulids } from '../../../shared/ids/ulid.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import { Gathered } from '../../../shared/runtime/gathered.ts';
import { UnderWay } from '../../../shared/runtime/under-way.ts';
import type { AuditLog } from '../../audit/audit-log.ts';
import type { KmsClient } from '../../kms/client.ts';
import type { Database } from '../../store/database.ts';
import type { Courier } from '../courier.ts';
import type { KnownBoxes } from '../known-boxes.ts';
import type { Takers } from '../reception.ts';
import { replyToBox } from '../reply-to-box.ts';
import { acknowledge, type Kept, type Word } from './acknowledge.ts';
import { Commands } from './commands.ts';
import { Delivery } from './delivery.ts';
import { expireCommands } from './expire-commands.ts';
import { Links } from './links.ts';
import { Receipts } from './receipts.ts';
import { type Ack, verifyAck } from './verify-ack.ts';

const LOOK_EVERY_MS = 1000;
/** Boxes that are looked at in one go. */
const MOST_DUE = 256;
/** Words of boxes that are verified, or written down, together. */
const MOST_WORDS = 64;
/** For so long a word waits for orders that are on their way. */
const LONGEST_BEHIND_MS = 2000;

export interface LedgerOptions {
  readonly db: Kysely<Database>;
  readonly kms: Pick<KmsClient, 'call'>;
  readonly boxes: KnownBoxes;
  readonly audit: AuditLog;
  /** Without one, commands are written down here, and sent by another process. */
  readonly courier?: Courier | undefined;
  /** How long words of boxes are kept. */
  readonly commandDays: number;
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
  readonly logger: Logger;
}

/** Commands to boxes, from the order to the box's signed word on it. Any number of processes can share one database. */
export class Ledger {
  readonly commands: Commands;
  readonly receipts: Receipts;
  readonly #options: LedgerOptions;
  readonly #links: Links;
  readonly #delivery: Delivery | undefined;
  readonly #underWay = new UnderWay();
  readonly #receiptIds: Ulids;
  readonly #words: Gathered<Word, Kept | undefined>;
  readonly #acks: Gathered<Ack, PromiseSettledResult<AckClaims>>;
  /** Those that have come, and are not written down yet. */
  readonly #unheard = new Set<Ack>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LedgerOptions) {
    const { db, boxes, courier, audit, commandDays, now } = options;
    this.#options = options;
    this.#links = new Links(options);
    this.#receiptIds = new Ulids(now);
    const noting = { db, links: this.#links, audit, now };
    this.#acks = new Gathered({ work: (acks) => Promise.allSettled(acks.map(verifyAck)), most: MOST_WORDS, atOnce: 1 });
    this.#words = new Gathered({ work: (words) => acknowledge(noting, words), most: MOST_WORDS, atOnce: 1 });
    this.#delivery = courier && new Delivery({ ...options, courier, links: this.#links });
    this.commands = new Commands({ db, boxes, links: this.#links, now, onWaiting: (device) => this.#deliverLater(device) });
    this.receipts = new Receipts(db, { days: commandDays, now });
  }

  start(): void {
    this.#timer = setInterval(() => this.#underWay.begin(() => this.look()), LOOK_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#underWay.end();
  }

  /** Ends what is too late and sends what is due. */
  async look(): Promise<void> {
    const { db, now, logger } = this.#options;
    try {
      await this.#links.wake([...(await expireCommands(db, now()))]);
      // A box that has answered is told nothing twice because nobody had the time to listen.
      const answering = new Set([...this.#unheard].map(({ device }) => device));
      const due = this.#delivery ? await this.#links.due(MOST_DUE + answering.size) : [];
      const silent = due.filter((device) => !answering.has(device)).slice(0, MOST_DUE);
      await Promise.all(silent.map((device) => this.#delivery?.deliver(device)));
    } catch (error) {
      logger.error({ err: SecureGateError.from(error) }, 'the ledger of commands could not be looked through');
    }
  }

  /** What it wants to hear of boxes. */
  readonly takers: Takers = {
    hello: async (device, _box, payload) => {
      const hello = helloSchema.parse(JSON.parse(payload.toString()));
      const { session, receipt } = hello;
      if (await this.#links.hello(device, hello)) this.#deliverLater(device);
      const forgotten = receipt !== null && (await this.receipts.isLost(device, receipt));
      await replyToBox(this.#options, device, { kind: 'welcome', session, forgotten });
    },
    acks: async (device, { org, signingKeys }, payload) => {
      const ack = { device, org, signingKeys, token: payload.toString('latin1') };
      this.#unheard.add(ack);
      try {
        await this.#hear(ack);
      } finally {
        this.#unheard.delete(ack);
      }
    },
  };

  async #hear(ack: Ack): Promise<void> {
    // That the first boxes have begun is not worth that the last ones wait for their orders; an HSM that hangs is not waited for.
    if (this.#delivery) await Promise.race([this.#delivery.caughtUp(), pause(LONGEST_BEHIND_MS, undefined, { ref: false })]);
    const verified = await this.#acks.run(ack);
    if (verified.status === 'rejected') throw verified.reason;
    const { device, org, token } = ack;
    const kept = await this.#words.run({ receipt: this.#receiptIds.next(), org, device, token, claims: verified.value });
    if (kept === undefined) return;
    if (kept.isNew) this.#deliverLater(device);
    await replyToBox(this.#options, device, { kind: 'ack-kept', digest: kept.digest, receipt: kept.receipt });
  }

  #deliverLater(device: string): void {
    const delivery = this.#delivery;
    if (delivery) this.#underWay.begin(() => delivery.deliver(device));
  }
}
