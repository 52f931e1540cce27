import { randomBytes } from 'node:crypto';
import { z } from 'zod';

/** Crockford's base 32. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_CHARACTERS = 10;
const RANDOM_CHARACTERS = 16;

/** An id whose text sorts by the time at which it was made (ULID: 48 bits of milliseconds, 80 of randomness). */
export const ulidSchema = z.string().regex(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/, { error: 'not a ULID' });

/** @param now milliseconds since the Unix epoch */
export function newUlid(now: number, random: (size: number) => Buffer = randomBytes): string {
  let time = '';
  for (let rest = now, left = TIME_CHARACTERS; left > 0; left--, rest = Math.floor(rest / 32)) time = ALPHABET[rest % 32] + time;
  return time + Array.from(random(RANDOM_CHARACTERS), (byte) => ALPHABET[byte % 32]).join('');
}

/** Ids each of which sorts after the one before, however fast they are made. */
export class Ulids {
  readonly #now: () => number;
  readonly #random: (size: number) => Buffer;
  #last = 0;

  constructor(now: () => number, random: (size: number) => Buffer = randomBytes) {
    this.#now = now;
    this.#random = random;
  }

  next(): string {
    this.#last = Math.max(this.#now(), this.#last + 1);
    return newUlid(this.#last, this.#random);
  }
}
