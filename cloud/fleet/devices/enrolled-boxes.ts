import type { Kysely } from 'kysely';
import type { Database } from '../../store/database.ts';
import type { KnownBox, KnownBoxes } from '../known-boxes.ts';

/**
 * The boxes that are enrolled, and not denied. A box signs by the key of its certificate; one that has ended is counted in, since a
 * database that was restored from a backup knows the newest ones not, and the broker lets in nobody by it.
 */
export class EnrolledBoxes implements KnownBoxes {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async find(device: string): Promise<KnownBox | undefined> {
    const rows = await this.#db
      .selectFrom('devices')
      .leftJoin('certificates', (join) => join.onRef('certificates.device', '=', 'devices.id').on('certificates.denied_at', 'is', null))
      .select(['devices.org', 'certificates.key'])
      .distinct()
      .where('devices.id', '=', device)
      .where('devices.state', 'not in', ['denied', 'left'])
      .execute();
    const [first] = rows;
    return first && { org: first.org, signingKeys: rows.flatMap(({ key }) => key ?? []) };
  }
}
