import type { Kysely } from 'kysely';
import type { Venue } from '../../shared/http/tenant-context.ts';
import type { Database } from '../store/database.ts';

/** How long an answer is used again: so long, a changed host name counts as before in the other processes. */
const KEPT_MS = 5000;
/** Strangers can ask for any number of names. */
const MOST_KEPT = 1000;

interface Answer {
  readonly venue: Promise<Venue | undefined>;
  readonly until: number;
}

/** Whose host name it is. */
export class Hostnames {
  readonly #db: Kysely<Database>;
  readonly #now: () => number;
  readonly #answers = new Map<string, Answer>();

  /** @param now monotonic time, milliseconds */
  constructor(db: Kysely<Database>, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  find(hostname: string): Promise<Venue | undefined> {
    const now = this.#now();
    const known = this.#answers.get(hostname);
    if (known !== undefined && now < known.until) return known.venue;
    const venue = this.#db.selectFrom('hostnames').select(['org', 'tenant']).where('hostname', '=', hostname).executeTakeFirst();
    const answer = { venue, until: now + KEPT_MS };
    this.#answers.delete(hostname);
    this.#answers.set(hostname, answer);
    const [oldest = hostname] = this.#answers.keys();
    if (this.#answers.size > MOST_KEPT) this.#answers.delete(oldest);
    // A failure is for whoever asked; the next one asks anew.
    venue.catch(() => this.#answers.get(hostname) === answer && this.#answers.delete(hostname));
    return venue;
  }
}
