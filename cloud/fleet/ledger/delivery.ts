import type { Kysely } from 'kysely';
import type { Logger } from '../../../shared/log/create-logger.ts';
import type { KmsClient } from '../../kms/client.ts';
import type { Database } from '../../store/database.ts';
import type { Courier } from '../courier.ts';
import type { KnownBoxes } from '../known-boxes.ts';
import type { CommandRow } from './command.ts';
import { UNSETTLED } from './command-states.ts';
import type { Links } from './links.ts';
import { moveCommand } from './move-command.ts';
import { signCommand } from './sign-command.ts';

/** Urgent commands that are sent at a time. */
const MOST_URGENT = 32;

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
 * Sends boxes what waits for them: one command after the other, the next when the box has said what came of the one before, so that no
 * transport puts them out of order; those that are urgent at once.
 */
export class Delivery {
  readonly #options: DeliveryOptions;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Sends what it is time to send to a box, unless another process does. What fails is tried again. */
  async deliver(device: string): Promise<void> {
    const { links, boxes, logger } = this.#options;
    try {
      const link = await links.claim(device);
      if (link === undefined) return;
      if ((await boxes.find(device)) === undefined) return await links.rest(device, link.tries + 1);
      const { urgent, head, next } = await this.#waiting(device);
      if (urgent.length === 0 && head === undefined) return await links.rest(device, link.tries + 1, next);
      for (const row of urgent) await this.#send(row);
      const placed = head && (await this.#place(head));
      if (placed) await this.#send(placed);
    } catch (error) {
      logger.warn({ err: error, device }, 'commands were not sent; it is tried again');
    }
  }

  /** What is to be sent now; without it, `next` is when something will be. */
  async #waiting(device: string): Promise<{ urgent: CommandRow[]; head: CommandRow | undefined; next: number | undefined }> {
    const { db, now } = this.#options;
    const unsettled = db.selectFrom('commands').selectAll().where('device', '=', device).where('state', 'in', UNSETTLED);
    const urgent = await unsettled.where('urgent', '=', 1).orderBy('id').limit(MOST_URGENT).execute();
    const ordered = unsettled.where('urgent', '=', 0).orderBy('id').limit(1);
    const underWay = await ordered.where('state', '<>', 'QUEUED').executeTakeFirst();
    const head = underWay ?? (await ordered.where('not_before', '<=', now()).executeTakeFirst());
    const later = head ? undefined : await unsettled.orderBy('not_before').limit(1).executeTakeFirst();
    return { urgent, head, next: later?.not_before };
  }

  /**
   * Gives a command the next pair, unless it has the last one that was given: a box takes no lower ones.
   * @returns undefined when another process is at it
   */
  async #place(row: CommandRow): Promise<CommandRow | undefined> {
    return await this.#options.db.transaction().execute(async (within) => {
      const link = await within
        .selectFrom('links')
        .select(['incarnation', 'sequence'])
        .where('device', '=', row.device)
        .executeTakeFirstOrThrow();
      const { incarnation, sequence } = link;
      if (row.incarnation === incarnation && row.sequence === sequence) return row;
      const given = { incarnation, sequence: sequence + 1 };
      const taken = await within
        .updateTable('links')
        .set(given)
        .where('device', '=', row.device)
        .where('incarnation', '=', incarnation)
        .where('sequence', '=', sequence)
        .executeTakeFirst();
      if (taken.numUpdatedRows === 0n) return undefined;
      const placed = await within
        .updateTable('commands')
        .set({ ...given, token: '' })
        .where('id', '=', row.id)
        .where('state', '=', row.state)
        .executeTakeFirst();
      return placed.numUpdatedRows === 0n ? undefined : { ...row, ...given, token: '' };
    });
  }

  async #send(row: CommandRow): Promise<void> {
    const { db, kms, courier, now } = this.#options;
    const token = row.token || (await signCommand(kms, row));
    // Written down before it goes out, and not sent where it was cancelled or settled meanwhile.
    if (row.state === 'QUEUED') {
      if (!(await moveCommand(db, row.id, 'SENT', { token }, now()))) return;
    } else if (row.token === '') {
      await db.updateTable('commands').set({ token }).where('id', '=', row.id).where('sequence', '=', row.sequence).execute();
    }
    await courier.send(row.device, 'commands', Buffer.from(token));
  }
}
