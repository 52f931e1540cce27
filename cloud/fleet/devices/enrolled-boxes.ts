import type { Kysely, SelectQueryBuilder } from 'kysely';
import type { DeviceState } from '../../../shared/fleet/enrolment.ts';
import type { Database } from '../../store/database.ts';
import { PreparedQuery } from '../../store/prepared-query.ts';
import type { KnownBox, KnownBoxes } from '../known-boxes.ts';

const GONE = ['denied', 'left'] as const satisfies DeviceState[];

/**
 * The boxes that are enrolled, and not denied. A box signs by the key of its certificate; one that has ended is counted in, since a
 * database that was restored from a backup knows the newest ones not, and the broker lets in nobody by it.
 */
export class EnrolledBoxes implements KnownBoxes {
  readonly #keys: PreparedQuery<KeyRow, KnownBox | undefined>;

  constructor(db: Kysely<Database>) {
    this.#keys = new PreparedQuery(db, keyQuery, boxOf);
  }

  async find(device: string): Promise<KnownBox | undefined> {
    return await this.#keys.ask(device, ...GONE);
  }
}

/** A box with one of its keys, or with none. */
interface KeyRow {
  readonly org: string;
  readonly key: string | null;
}

function keyQuery(db: Kysely<Database>): SelectQueryBuilder<Database, 'devices' | 'certificates', KeyRow> {
  return db
    .selectFrom('devices')
    .leftJoin('certificates', (join) => join.onRef('certificates.device', '=', 'devices.id').on('certificates.denied_at', 'is', null))
    .select(['devices.org', 'certificates.key'])
    .distinct()
    .where('devices.id', '=', '')
    .where('devices.state', 'not in', GONE);
}

function boxOf(rows: readonly KeyRow[]): KnownBox | undefined {
  const [first] = rows;
  return first && { org: first.org, signingKeys: rows.flatMap(({ key }) => key ?? []) };
}
