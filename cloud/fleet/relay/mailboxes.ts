import type { DownChannel } from '../../../shared/fleet/topics.ts';
import { mailboxOf, type Waiting } from '../../../shared/fleet/waiting.ts';

/** A box that has not asked for so long is not kept anything any more. */
const KEPT_MS = 300_000;
/** Of one box; the oldest is lost first. */
const MOST_WAITING = 64;
const MOST_BYTES = 512 * 1024;

interface Mailbox {
  readonly id: string;
  readonly waiting: { readonly number: number; readonly channel: DownChannel; readonly payload: Buffer }[];
  last: number;
  askedAt: number;
}

export interface MailboxesOptions {
  /** Milliseconds. */
  readonly monotonic: () => number;
  readonly random: (size: number) => Buffer;
}

/**
 * What waits for boxes that ask for it. It is kept in memory and within bounds: what is lost, here or with this process, is sent again by
 * whoever said it, as over MQTT. A box that has another mailbox than before says hello.
 */
export class Mailboxes {
  readonly #options: MailboxesOptions;
  /** Who has not asked for longest comes first. */
  readonly #boxes = new Map<string, Mailbox>();

  constructor(options: MailboxesOptions) {
    this.#options = options;
  }

  /** Keeps a message, if the box asks for its messages here. */
  put(device: string, channel: DownChannel, payload: Buffer): void {
    const box = this.#boxes.get(device);
    if (box === undefined) return;
    box.last += 1;
    box.waiting.push({ number: box.last, channel, payload });
    while (box.waiting.length > MOST_WAITING || bytesOf(box) > MOST_BYTES) box.waiting.shift();
  }

  /**
   * @param tag up to where the box has them
   * @returns what the box does not have, and its tag; undefined where there is nothing
   */
  read(device: string, tag: string): { readonly tag: string; readonly content: Waiting } | undefined {
    const now = this.#options.monotonic();
    const box = this.#boxes.get(device) ?? { id: this.#options.random(9).toString('base64url'), waiting: [], last: 0, askedAt: now };
    box.askedAt = now;
    this.#boxes.delete(device);
    this.#boxes.set(device, box);
    this.#forget(now);
    const isKnown = mailboxOf(tag) === box.id;
    const read = isKnown ? Number(tag.slice(box.id.length + 1)) : 0;
    box.waiting.splice(0, box.waiting.findLastIndex(({ number }) => number <= read) + 1);
    if (isKnown && box.waiting.length === 0) return undefined;
    const messages = box.waiting.map(({ channel, payload }) => ({ channel, payload: payload.toString('base64') }));
    return { tag: `${box.id}.${box.last}`, content: { messages } };
  }

  #forget(now: number): void {
    for (const [device, { askedAt }] of this.#boxes) {
      if (now - askedAt < KEPT_MS) return;
      this.#boxes.delete(device);
    }
  }
}

function bytesOf({ waiting }: Mailbox): number {
  return waiting.reduce((sum, { payload }) => sum + payload.length, 0);
}
