import type { Kysely, Selectable } from 'kysely';
import { z } from 'zod';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { ACK_STATES } from '../../../shared/fleet/ack.ts';
import { idSchema } from '../../../shared/ids/ids.ts';
import { newUlid, ulidSchema } from '../../../shared/ids/ulid.ts';
import type { Database } from '../../store/database.ts';
import { type Page, type PageQuery, pageOf } from '../../store/page.ts';

export const receiptSchema = z
  .strictObject({
    id: ulidSchema,
    device: idSchema('box'),
    command: ulidSchema,
    state: z.enum(ACK_STATES),
    reason: z.string().nullable(),
    token: z.string().describe('What the box signed (JWT, ES256): its word on the command, of which it holds the SHA-256.'),
    at: z.iso.datetime(),
  })
  .meta({
    id: 'Receipt',
    examples: [
      {
        id: '01KAMV8Z0000000000000000BB',
        device: 'box_aaaaaaaaaaaaaaaaaaaaaaaaaa',
        command: '01KAMV8Z0000000000000000AA',
        state: 'SUCCEEDED',
        reason: null,
        token: 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln',
        at: '2026-11-22T10:00:02.000Z',
      },
    ],
  });
export type Receipt = z.output<typeof receiptSchema>;

const DAY_MS = 86_400_000;

export interface ReceiptsOptions {
  /** How long a receipt is kept, unless it proves that something was deleted. */
  readonly days: number;
  readonly now: () => number;
}

/** What boxes have signed of commands, also of those that the ledger does not know any more. */
export class Receipts {
  readonly #db: Kysely<Database>;
  readonly #options: ReceiptsOptions;

  constructor(db: Kysely<Database>, options: ReceiptsOptions) {
    this.#db = db;
    this.#options = options;
  }

  /** @throws {SecureGateError} `receipt_not_found` */
  async get(org: string, id: string): Promise<Receipt> {
    const row = await this.#db.selectFrom('receipts').selectAll().where('org', '=', org).where('id', '=', id).executeTakeFirst();
    if (row === undefined) throw new SecureGateError('receipt_not_found', 'There is no such receipt');
    return viewOf(row);
  }

  /** Whether the receipt that a box names was lost: not one that is old enough not to be kept any more. */
  async isLost(device: string, id: string): Promise<boolean> {
    const { days, now } = this.#options;
    if (id < newUlid(now() - days * DAY_MS, Buffer.alloc)) return false;
    const found = this.#db.selectFrom('receipts').select('id').where('device', '=', device).where('id', '=', id);
    return (await found.executeTakeFirst()) === undefined;
  }

  /** In the order in which they came. */
  async list(
    org: string,
    { device, command, cursor = '', limit }: PageQuery & { device?: string | undefined; command?: string | undefined },
  ): Promise<Page<Receipt>> {
    let query = this.#db
      .selectFrom('receipts')
      .selectAll()
      .where('org', '=', org)
      .where('id', '>', cursor)
      .orderBy('id')
      .limit(limit + 1);
    if (device !== undefined) query = query.where('device', '=', device);
    if (command !== undefined) query = query.where('command', '=', command);
    return pageOf(await query.execute(), limit, { id: ({ id }) => id, view: viewOf });
  }
}

function viewOf({ id, device, command, state, reason, token, at }: Selectable<Database['receipts']>): Receipt {
  return receiptSchema.parse({ ...{ id, device, command, state, token }, reason: reason || null, at: new Date(at).toISOString() });
}
