import type { Kysely } from 'kysely';
import type { Database } from '../store/database.ts';
import { type Told, toldBoxes } from './told-boxes.ts';

/** A box that is to erase somebody. */
export interface BoxOfErasure {
  readonly device: string;
  /** What it was told last. */
  readonly command: string;
  readonly told: Told | undefined;
  /** Its word that nobody of them is there any more, and the command that it answers; null where it has not said so. */
  readonly word: { readonly command: string; readonly done: NonNullable<Told['done']> } | null;
}

/** The boxes of an erasure. One that has removed all of a tenant that was shredded has erased its customers as well, and is told of them no more. */
export async function boxesOfErasure(
  db: Kysely<Database>,
  { id, org, tenant }: { id: string; org: string; tenant: string },
): Promise<readonly BoxOfErasure[]> {
  const [boxes, shredded] = await Promise.all([
    db.selectFrom('erasure_boxes').selectAll().where('erasure', '=', id).orderBy('device').execute(),
    db
      .selectFrom('shred_boxes')
      .innerJoin('shreds', 'shreds.id', 'shred_boxes.shred')
      .select(['device', 'command'])
      .where('org', '=', org)
      .where('tenant', '=', tenant)
      .execute(),
  ]);
  const told = await toldBoxes(
    db,
    [...boxes, ...shredded].map(({ command }) => command),
  );
  const shredOf = new Map(shredded.map(({ device, command }) => [device, command]));
  return boxes.map(({ device, command }) => {
    const answered = [command, shredOf.get(device) ?? command].find((one) => told.get(one)?.done);
    const done = answered === undefined ? null : (told.get(answered)?.done ?? null);
    return { device, command, told: told.get(command), word: answered !== undefined && done ? { command: answered, done } : null };
  });
}
