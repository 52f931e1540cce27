import type { Kysely } from 'kysely';
import type { Pair } from '../../../shared/fleet/command.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import { Gathered } from '../../../shared/runtime/gathered.ts';
import type { KmsClient } from '../../kms/client.ts';
import type { Database } from '../../store/database.ts';
import type { Courier } from '../courier.ts';
import type { KnownBoxes } from '../known-boxes.ts';
import type { CommandRow } from './command.ts';
import type { Claimed, Links } from './links.ts';
import { moveCommand } from './move-command.ts';
import { readWaiting } from './read-waiting.ts';
import { signCommands } from './sign-commands.ts';

/** Boxes that are looked at together, and how often at a time: while the HSM signs for some, others are sent what is signed. */
const TOGETHER = { most: 256, atOnce: 2 };

export interface DeliveryOptions {
  readonly db: Kysely<Database>;
  readonly links: Links;
  readonly kms: Pick<KmsClient, 'call'>;
  readonly boxes: KnownBoxes;
  readonly courier: Courier;
  readonly now: () => number;
  readonly logger: Logger;
}

/**
 * Sends boxes what waits for them: to each one command after the other, the next when the box has said what came of the one before, so that
 * no transport puts them out of order; those that are urgent at once, and before all others.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #boxes: Gathered<string, undefined>;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#boxes = new Gathered({ ...TOGETHER, work: (devices) => this.#deliver([...new Set(devices)]) });
  }

  /** Sends what it is time to send to a box, unless another process does. What fails is tried again. */
  async deliver(device: string): Promise<void> {
    try {
      await this.#boxes.run(device);
    } catch (error) {
      this.#failed(device, error);
    }
  }

  /** Resolves when every box was looked at that was to be until now. */
  async caughtUp(): Promise<void> {
    await this.#boxes.caughtUp();
  }

  async #deliver(devices: readonly string[]): Promise<undefined[]> {
    const claimed = await this.#options.links.claim(devices);
    try {
      await this.#tell(claimed);
    } catch (error) {
      if (claimed.length === 1) throw error;
      // One to which nothing can be sent must not take the others with it.
      await Promise.all(claimed.map((one) => this.#tellAlone(one)));
    }
    return [];
  }

  async #tellAlone(claimed: Claimed): Promise<void> {
    try {
      await this.#tell([claimed]);
    } catch (error) {
      this.#failed(claimed.device, error);
    }
  }

  #failed(device: string, error: unknown): void {
    this.#options.logger.warn({ err: error, device }, 'commands were not sent; it is tried again');
  }

  async #tell(claimed: readonly Claimed[]): Promise<void> {
    const { db, links, now } = this.#options;
    const known = await this.#known(claimed);
    const { urgent, heads, next } = await readWaiting(db, known, now());
    const busy = new Set([...urgent, ...heads].map(({ device }) => device));
    const idle = claimed.filter(({ device }) => !busy.has(device));
    await links.rest(idle.map((one) => ({ ...one, until: next.get(one.device) })));
    await this.#send(urgent);
    await this.#send(await this.#place(heads));
  }

  /** Of these, the devices that count. */
  async #known(claimed: readonly Claimed[]): Promise<string[]> {
    const found = claimed.map(async ({ device }) => ((await this.#options.boxes.find(device)) === undefined ? [] : [device]));
    return (await Promise.all(found)).flat();
  }

  /**
   * Gives commands the next pairs of their boxes, unless they have the last ones that were given: a box takes no lower ones.
   * @returns those at which no other process is
   */
  async #place(rows: readonly CommandRow[]): Promise<CommandRow[]> {
    if (rows.length === 0) return [];
    const { db } = this.#options;
    const devices = rows.map(({ device }) => device);
    const last = await db.selectFrom('links').select(['device', 'incarnation', 'sequence']).where('device', 'in', devices).execute();
    const lastOf = new Map(last.map(({ device, ...pair }) => [device, pair]));
    return await db.transaction().execute(async (within) => {
      const placed: CommandRow[] = [];
      for (const row of rows) {
        const link = lastOf.get(row.device);
        if (link === undefined) continue;
        if (row.incarnation === link.incarnation && row.sequence === link.sequence) placed.push(row);
        else placed.push(...(await placeAfter(within, row, link)));
      }
      return placed;
    });
  }

  async #send(rows: readonly CommandRow[]): Promise<void> {
    const { kms, courier } = this.#options;
    const unsigned = rows.filter(({ token }) => token === '');
    const tokens = await signCommands(kms, unsigned);
    const signed = new Map(unsigned.map(({ id }, at) => [id, tokens[at] ?? '']));
    const going = await this.#note(
      rows.map((row) => ({ ...row, token: row.token || (signed.get(row.id) ?? ''), isSigned: signed.has(row.id) })),
    );
    await Promise.all(going.map(({ device, token }) => courier.send(device, 'commands', Buffer.from(token))));
  }

  /** Writes down what goes out before it does. @returns without what was cancelled or settled meanwhile */
  async #note(rows: readonly (CommandRow & { readonly isSigned: boolean })[]): Promise<CommandRow[]> {
    const { db, now } = this.#options;
    if (rows.every(({ state, isSigned }) => state !== 'QUEUED' && !isSigned)) return [...rows];
    return await db.transaction().execute(async (within) => {
      const going: CommandRow[] = [];
      for (const row of rows) {
        const { id, state, sequence, token } = row;
        if (state === 'QUEUED') {
          if (!(await moveCommand(within, id, 'SENT', { token }, now()))) continue;
        } else if (row.isSigned) {
          await within.updateTable('commands').set({ token }).where('id', '=', id).where('sequence', '=', sequence).execute();
        }
        going.push(row);
      }
      return going;
    });
  }
}

/** @returns the command in its place; none when another process was faster */
async function placeAfter(db: Kysely<Database>, row: CommandRow, { incarnation, sequence }: Pair): Promise<CommandRow[]> {
  const given = { incarnation, sequence: sequence + 1 };
  const taken = await db
    .updateTable('links')
    .set(given)
    .where('device', '=', row.device)
    .where('incarnation', '=', incarnation)
    .where('sequence', '=', sequence)
    .executeTakeFirst();
  if (taken.numUpdatedRows === 0n) return [];
  const placed = await db
    .updateTable('commands')
    .set({ ...given, token: '' })
    .where('id', '=', row.id)
    .where('state', '=', row.state)
    .executeTakeFirst();
  return placed.numUpdatedRows === 0n ? [] : [{ ...row, ...given, token: '' }];
}
