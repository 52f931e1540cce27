import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

const LIFE_MS = 60_000;
const MOST = 10_000;

/** Random numbers that a device signs once, within a minute. They live in memory: after a restart, devices ask for new ones. */
export class Challenges {
  readonly #now: () => number;
  readonly #random: (size: number) => Buffer;
  /** When each ends, in the order in which they were given. */
  readonly #open = new Map<string, number>();

  constructor(now: () => number, random: (size: number) => Buffer) {
    this.#now = now;
    this.#random = random;
  }

  /** @throws {SecureGateError} `overloaded` */
  give(): string {
    const now = this.#now();
    for (const [challenge, endsAt] of this.#open) {
      if (endsAt > now) break;
      this.#open.delete(challenge);
    }
    if (this.#open.size >= MOST) throw new SecureGateError('overloaded', 'Too many challenges wait for an answer');
    const challenge = this.#random(32).toString('base64url');
    this.#open.set(challenge, now + LIFE_MS);
    return challenge;
  }

  /** Uses one up. @throws {SecureGateError} `export_rejected` */
  take(challenge: string): void {
    const endsAt = this.#open.get(challenge);
    this.#open.delete(challenge);
    if (endsAt === undefined || endsAt <= this.#now()) {
      throw new SecureGateError('export_rejected', 'This request answers no challenge that is open');
    }
  }
}
