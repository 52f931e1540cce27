import type { Kysely } from 'kysely';
import type { Database } from './database.ts';

/** How long a process that was killed keeps others from its job. The clocks of their machines must not differ by as much. */
const LEASE_MS = 30_000;

export interface JobLeasesOptions {
  /** This process, by a name that no other has. */
  readonly owner: string;
  readonly now: () => number;
  readonly leaseMs?: number;
}

/** Lets one process of all that work on a database do a job at a time. */
export class JobLeases {
  readonly #db: Kysely<Database>;
  readonly #owner: string;
  readonly #now: () => number;
  readonly #leaseMs: number;

  constructor(db: Kysely<Database>, { owner, now, leaseMs = LEASE_MS }: JobLeasesOptions) {
    this.#db = db;
    this.#owner = owner;
    this.#now = now;
    this.#leaseMs = leaseMs;
  }

  /**
   * Does a job, unless another process is about it.
   * @param work is told by its signal when another process has taken the job over, because this one could not renew its lease in time
   * @returns what the work gave; undefined where another process does it
   */
  async run<Result>(job: string, work: (lost: AbortSignal) => Promise<Result>): Promise<Result | undefined> {
    if (!(await this.#take(job))) return undefined;
    const lost = new AbortController();
    let renewed = Promise.resolve();
    const timer = setInterval(() => {
      renewed = renewed.then(() => this.#renew(job, lost));
    }, this.#leaseMs / 3);
    try {
      return await work(lost.signal);
    } finally {
      clearInterval(timer);
      // A renewal that is written after the end would keep everybody from the job.
      await renewed;
      await this.#endAt(job, 0);
    }
  }

  async #take(job: string): Promise<boolean> {
    const now = this.#now();
    const lease = { owner: this.#owner, ends_at: now + this.#leaseMs };
    const { numInsertedOrUpdatedRows } = await this.#db
      .insertInto('job_leases')
      .values({ job, ...lease })
      .onConflict((conflict) => conflict.column('job').doUpdateSet(lease).where('job_leases.ends_at', '<=', now))
      .executeTakeFirstOrThrow();
    return numInsertedOrUpdatedRows === 1n;
  }

  async #renew(job: string, lost: AbortController): Promise<void> {
    try {
      if (!(await this.#endAt(job, this.#now() + this.#leaseMs))) lost.abort();
    } catch {
      // The database is away: the next try, or another process's, tells more.
    }
  }

  async #endAt(job: string, endsAt: number): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('job_leases')
      .set({ ends_at: endsAt })
      .where('job', '=', job)
      .where('owner', '=', this.#owner)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  }
}
