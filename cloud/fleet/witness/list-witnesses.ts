import type { Kysely } from 'kysely';
import { z } from 'zod';
import { idSchema } from '../../../shared/ids/ids.ts';
import { ulidSchema } from '../../../shared/ids/ulid.ts';
import type { Database } from '../../store/database.ts';

export const logWitnessSchema = z
  .strictObject({
    device: idSchema('box'),
    log: ulidSchema,
    size: z.int().min(0),
    at: z.iso.datetime(),
    token: z
      .string()
      .describe('What the box signed (JWT, ES256): the newest head of the log that goes on from all that it had signed before.'),
  })
  .meta({
    id: 'AuditWitness',
    examples: [
      {
        device: 'box_aaaaaaaaaaaaaaaaaaaaaaaaaa',
        log: '01KAMV8Z0000000000000000AA',
        size: 42,
        at: '2026-11-22T10:00:02.000Z',
        token: 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln',
      },
    ],
  });
export type LogWitness = z.output<typeof logWitnessSchema>;

/** The boxes of an org that watch the log, and how far each has signed it. */
export async function listWitnesses(db: Kysely<Database>, org: string): Promise<LogWitness[]> {
  const rows = await db.selectFrom('log_cosignatures').selectAll().where('org', '=', org).orderBy('device').execute();
  return rows.map(({ device, log, size, at, token }) => ({ device, log, size, at: new Date(at).toISOString(), token }));
}
