import type { Kysely } from 'kysely';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { COMMANDS } from '../../../shared/fleet/command.ts';
import { Ulids } from '../../../shared/ids/ulid.ts';
import type { Database } from '../../store/database.ts';
import { type Page, type PageQuery, pageOf } from '../../store/page.ts';
import type { KnownBoxes } from '../known-boxes.ts';
import { type Command, type CommandRow, isUrgent, type NewCommand, timesOf, viewOf } from './command.ts';
import type { CommandState } from './command-states.ts';
import type { Links } from './links.ts';
import { moveCommand } from './move-command.ts';

/** Rows that are written by one statement: databases take so many values and no more. */
const MOST_TOGETHER = 500;

export interface CommandsOptions {
  readonly db: Kysely<Database>;
  readonly boxes: KnownBoxes;
  readonly links: Pick<Links, 'wake'>;
  /** Called when there is something to send to a box. */
  readonly onWaiting: (device: string) => void;
  readonly now: () => number;
}

/** What boxes are told to do: the ledger, which is the truth whatever a broker keeps or loses. */
export class Commands {
  readonly #options: CommandsOptions;
  readonly #ids: Ulids;

  constructor(options: CommandsOptions) {
    this.#options = options;
    this.#ids = new Ulids(options.now);
  }

  /** An id that sorts after those of commands that were given before. */
  newId(): string {
    return this.#ids.next();
  }

  /**
   * @param by who gives it
   * @throws {SecureGateError} `device_not_found`, `invalid_request` (its times)
   */
  async create(org: string, id: string, by: string, wanted: NewCommand): Promise<Command> {
    const [given] = await this.createAll(org, by, [{ id, ...wanted }]);
    if (given === undefined) throw new SecureGateError('device_not_found', 'There is no such box');
    return given;
  }

  /**
   * Gives commands to boxes in one go, with an id for each. One that is there already stays as it is: two processes may work on
   * repetitions of one request.
   * @param by who gives them
   * @returns without those whose boxes are not there
   * @throws {SecureGateError} `invalid_request` (their times)
   */
  async createAll(org: string, by: string, wanted: readonly (NewCommand & { readonly id: string })[]): Promise<Command[]> {
    const { db, boxes, links, now, onWaiting } = this.#options;
    const at = now();
    const found = wanted.map(async (one) => ((await boxes.find(one.device))?.org === org ? [rowOf(one, org, by, at)] : []));
    const rows = (await Promise.all(found)).flat();
    if (rows.length === 0) return [];
    const unlinked = await db.transaction().execute(async (within) => {
      const left: string[] = [];
      for (let from = 0; from < rows.length; from += MOST_TOGETHER) {
        const some = rows.slice(from, from + MOST_TOGETHER);
        await within
          .insertInto('commands')
          .values(some)
          .onConflict((conflict) => conflict.column('id').doNothing())
          .execute();
        const devices = [...new Set(some.map(({ device }) => device))];
        if ((await links.wake(devices, within)) < devices.length) left.push(...devices);
      }
      return left;
    });
    // One that said its first hello meanwhile was looked at before there was anything to see.
    await links.wake(unlinked);
    for (const { device } of rows) onWaiting(device);
    return rows.map(viewOf);
  }

  /** @throws {SecureGateError} `command_not_found` */
  async get(org: string, id: string): Promise<Command> {
    const row = await this.#options.db.selectFrom('commands').selectAll().where('org', '=', org).where('id', '=', id).executeTakeFirst();
    if (row === undefined) throw new SecureGateError('command_not_found', 'There is no such command');
    return viewOf(row);
  }

  /** In the order in which they were given. */
  async list(
    org: string,
    { device, state, cursor = '', limit }: PageQuery & { device?: string | undefined; state?: CommandState | undefined },
  ): Promise<Page<Command>> {
    let query = this.#options.db
      .selectFrom('commands')
      .selectAll()
      .where('org', '=', org)
      .where('id', '>', cursor)
      .orderBy('id')
      .limit(limit + 1);
    if (device !== undefined) query = query.where('device', '=', device);
    if (state !== undefined) query = query.where('state', '=', state);
    return pageOf(await query.execute(), limit, { id: ({ id }) => id, view: viewOf });
  }

  /**
   * Lets a command be sent no more. One that is on its way may be done all the same: what the box says of it counts.
   * @throws {SecureGateError} `command_not_found`, `command_settled`
   */
  async cancel(org: string, id: string): Promise<Command> {
    const { db, links, now, onWaiting } = this.#options;
    const { device, state, order } = await this.get(org, id);
    if (COMMANDS[order.kind].ofFlow || !(await moveCommand(db, id, 'CANCELED', {}, now()))) {
      throw new SecureGateError('command_settled', 'It is too late to cancel this command', { details: { state } });
    }
    await links.wake([device]);
    onWaiting(device);
    return await this.get(org, id);
  }
}

/** @throws {SecureGateError} `invalid_request` */
function rowOf({ id, ...wanted }: NewCommand & { readonly id: string }, org: string, by: string, at: number): CommandRow {
  const { device, order } = wanted;
  const times = timesOf(wanted, at);
  if (times === undefined) throw new SecureGateError('invalid_request', 'A command with these times is never done');
  return {
    ...{ id, org, device, kind: order.kind, body: JSON.stringify(order.body), urgent: Number(isUrgent(order)) },
    ...{ state: 'QUEUED', reason: '', incarnation: 0, sequence: 0, token: '' },
    ...{ created_by: by, created_at: at, changed_at: at, not_before: times.notBefore, expires_at: times.expiresAt },
  };
}
