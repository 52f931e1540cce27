import type { Kysely } from 'kysely';
import type { Database } from '../../store/database.ts';
import { brokerUserOf, deviceOfBrokerUser } from '../pki/device-subject.ts';
import type { DynamicSecurity } from './dynamic-security.ts';

/** Boxes that are read in one go. */
const PAGE = 1000;

/**
 * The rights of boxes at a broker that does not ask the control plane. What the database says of a box is brought to the broker whenever it
 * changes, and all of it now and then: a broker that was away, or came back with old rights, gets the present ones.
 */
export class BrokerRights {
  readonly #db: Kysely<Database>;
  readonly #broker: Pick<DynamicSecurity, 'users' | 'letIn' | 'shutOut'>;

  constructor(db: Kysely<Database>, broker: Pick<DynamicSecurity, 'users' | 'letIn' | 'shutOut'>) {
    this.#db = db;
    this.#broker = broker;
  }

  /**
   * Brings the rights of one box to the broker, which ends the connections of whoever has none any more. What another process writes down
   * meanwhile is not undone: it is looked once more when all is done.
   * @throws {SecureGateError} `broker_unavailable`
   */
  async settle(device: string): Promise<void> {
    for (let before = ''; ; ) {
      const { counting, ended } = await this.#usersOf(device);
      const present = JSON.stringify([counting, ended]);
      if (present === before) return;
      before = present;
      for (const user of ended) await this.#broker.shutOut(user);
      for (const user of counting) await this.#broker.letIn(device, user);
    }
  }

  /** Brings the rights of all boxes to the broker. @param lost when another process does so @throws {SecureGateError} `broker_unavailable` */
  async settleAll(lost: AbortSignal): Promise<void> {
    const there = await this.#broker.users();
    const counting = new Set<string>();
    for await (const { device, user } of this.#allCounting()) {
      counting.add(user);
      if (lost.aborted) return;
      if (!there.has(user)) await this.settle(device);
    }
    for (const user of there) {
      const device = deviceOfBrokerUser(user);
      if (lost.aborted) return;
      if (device === undefined || counting.has(user)) continue;
      // One that enrolled since they were read counts.
      if (!(await this.#usersOf(device)).counting.includes(user)) await this.#broker.shutOut(user);
    }
  }

  async #usersOf(device: string): Promise<{ counting: readonly string[]; ended: readonly string[] }> {
    const rows = await this.#certificates().where('devices.id', '=', device).orderBy('key').execute();
    const keysWhere = (counts: boolean) => new Set(rows.filter((row) => isCounting(row) === counts).map(({ key }) => key));
    const counting = keysWhere(true);
    const ended = new Set([...keysWhere(false)].filter((key) => !counting.has(key)));
    const usersOf = (keys: Set<string>): string[] => [...keys].map((key) => brokerUserOf(device, key));
    return { counting: usersOf(counting), ended: usersOf(ended) };
  }

  async *#allCounting(): AsyncGenerator<{ device: string; user: string }> {
    for (let cursor = '', more = true; more; ) {
      const rows = await this.#certificates().where('serial', '>', cursor).orderBy('serial').limit(PAGE).execute();
      for (const row of rows) if (isCounting(row)) yield { device: row.device, user: brokerUserOf(row.device, row.key) };
      cursor = rows.at(-1)?.serial ?? '';
      more = rows.length === PAGE;
    }
  }

  #certificates() {
    return this.#db
      .selectFrom('certificates')
      .innerJoin('devices', 'devices.id', 'certificates.device')
      .select(['certificates.serial', 'certificates.device', 'certificates.key', 'certificates.denied_at', 'devices.state']);
  }
}

function isCounting({ denied_at, state }: { readonly denied_at: number | null; readonly state: string }): boolean {
  return denied_at === null && state !== 'denied' && state !== 'left';
}
