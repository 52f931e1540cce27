import type { Selectable } from 'kysely';
import { z } from 'zod';
import { COMMANDS, type Order, orderSchema, orderToGiveSchema } from '../../../shared/fleet/command.ts';
import { idSchema } from '../../../shared/ids/ids.ts';
import { ulidSchema } from '../../../shared/ids/ulid.ts';
import type { Database } from '../../store/database.ts';
import { COMMAND_STATES } from './command-states.ts';

const DAY_MS = 86_400_000;
/** How long a box that is away has to come for a command, where nobody says otherwise, and at most. */
const DEFAULT_LIFE_MS = DAY_MS;
const LONGEST_LIFE_MS = 90 * DAY_MS;

export const newCommandSchema = z
  .strictObject({
    device: idSchema('box'),
    order: orderToGiveSchema,
    notBefore: z.iso.datetime().optional().describe('The box is not told earlier; others are told meanwhile. Not of urgent commands.'),
    expiresAt: z.iso
      .datetime()
      .optional()
      .describe('After it the box does not begin any more; a day where it is not said, 90 at most. Urgent commands never expire.'),
  })
  .meta({
    id: 'NewCommand',
    examples: [{ device: 'box_aaaaaaaaaaaaaaaaaaaaaaaaaa', order: { kind: 'renew-lease', body: { tenant: 'main-hall' } } }],
  });
export type NewCommand = z.output<typeof newCommandSchema>;

export const commandSchema = z
  .strictObject({
    id: ulidSchema,
    device: idSchema('box'),
    order: orderSchema,
    urgent: z.boolean().describe('It is told before all others, also late, and never expires.'),
    state: z
      .enum(COMMAND_STATES)
      .describe('`TIMED_OUT` and `CANCELED` say that it is not sent any more; what the box says of it later still counts.'),
    reason: z.string().nullable().describe('Code of why it was not done.'),
    incarnation: z.int().nullable().describe('With `sequence` its place among the commands of the box; null until it is about to be sent.'),
    sequence: z.int().nullable(),
    createdBy: z.union([idSchema('user'), idSchema('service')]),
    createdAt: z.iso.datetime(),
    changedAt: z.iso.datetime(),
    notBefore: z.iso.datetime().nullable(),
    expiresAt: z.iso.datetime().nullable(),
  })
  .meta({
    id: 'Command',
    examples: [
      {
        id: '01KAMV8Z0000000000000000AA',
        device: 'box_aaaaaaaaaaaaaaaaaaaaaaaaaa',
        order: { kind: 'renew-lease', body: { tenant: 'main-hall' } },
        urgent: false,
        state: 'SENT',
        reason: null,
        incarnation: 1,
        sequence: 7,
        createdBy: 'usr_aaaaaaaaaaaaaaaaaaaaaaaaaa',
        createdAt: '2026-11-22T10:00:00.000Z',
        changedAt: '2026-11-22T10:00:01.000Z',
        notBefore: null,
        expiresAt: '2026-11-23T10:00:00.000Z',
      },
    ],
  });
export type Command = z.output<typeof commandSchema>;

export type CommandRow = Selectable<Database['commands']>;

/** When a command counts: milliseconds since the Unix epoch, 0 where there is no limit. */
export interface CommandTimes {
  readonly notBefore: number;
  readonly expiresAt: number;
}

/** @returns undefined where the times of a command make no sense */
export function timesOf({ order, notBefore, expiresAt }: NewCommand, now: number): CommandTimes | undefined {
  if (isUrgent(order)) return notBefore === undefined && expiresAt === undefined ? { notBefore: 0, expiresAt: 0 } : undefined;
  const begin = notBefore === undefined ? 0 : Date.parse(notBefore);
  const end = expiresAt === undefined ? Math.max(now, begin) + DEFAULT_LIFE_MS : Date.parse(expiresAt);
  return begin >= 0 && end > Math.max(now, begin) && end <= now + LONGEST_LIFE_MS ? { notBefore: begin, expiresAt: end } : undefined;
}

export function isUrgent({ kind }: Order): boolean {
  return COMMANDS[kind].urgent;
}

export function orderOf({ kind, body }: Pick<CommandRow, 'kind' | 'body'>): Order {
  return orderSchema.parse({ kind, body: JSON.parse(body) as unknown });
}

export function viewOf(row: CommandRow): Command {
  const { id, device, state, incarnation, sequence } = row;
  return commandSchema.parse({
    ...{ id, device, state, order: orderOf(row), urgent: row.urgent === 1, createdBy: row.created_by },
    reason: row.reason || null,
    incarnation: incarnation || null,
    sequence: sequence || null,
    createdAt: iso(row.created_at),
    changedAt: iso(row.changed_at),
    notBefore: row.not_before === 0 ? null : iso(row.not_before),
    expiresAt: row.expires_at === 0 ? null : iso(row.expires_at),
  });
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
