import type { Kysely } from 'kysely';
import type { BucketConfig } from '../../../shared/s3/bucket-config.ts';
import type { Database } from '../../store/database.ts';

/** How far the copy of a log is. */
export type CopyRecord = Omit<Database['log_copies'], 'bucket'>;

/** How far the copies of the log are in one bucket, for every process to know. */
export class CopyRecords {
  readonly #db: Kysely<Database>;
  readonly #bucket: string;

  constructor(db: Kysely<Database>, { endpoint, bucket, prefix }: BucketConfig) {
    this.#db = db;
    this.#bucket = `${endpoint.replace(/\/$/, '')}/${bucket}/${prefix}`;
  }

  /** Where the copies are. */
  get bucket(): string {
    return this.#bucket;
  }

  /** That of the log as it is now, and how many leaves the log has. */
  async read(): Promise<{ readonly record: CopyRecord; readonly leaves: number }> {
    const { id: log, size: leaves } = await this.#db.selectFrom('log').select(['id', 'size']).executeTakeFirstOrThrow();
    const record = await this.#db
      .selectFrom('log_copies')
      .select(['log', 'tiled', 'size', 'copied_at', 'problem'])
      .where('bucket', '=', this.#bucket)
      .where('log', '=', log)
      .executeTakeFirst();
    return { record: record ?? { log, tiled: 0, size: 0, copied_at: null, problem: '' }, leaves };
  }

  /** Only ever moves on: what is in the bucket stays there. */
  async move({ log, ...how }: CopyRecord): Promise<void> {
    await this.#db
      .insertInto('log_copies')
      .values({ bucket: this.#bucket, log, ...how })
      .onConflict((conflict) =>
        conflict
          .columns(['bucket', 'log'])
          .doUpdateSet(how)
          .where('log_copies.tiled', '<=', how.tiled)
          .where('log_copies.size', '<=', how.size),
      )
      .execute();
  }
}
