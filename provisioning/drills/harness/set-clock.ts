import { writeFileSync } from 'node:fs';
import type { Box } from './box.ts';
import { sabotage } from './sabotage.ts';
import type { Venue } from './venue.ts';

/** A box whose wall clock can be set, apart from the machine's. */
export async function boxWithClock(venue: Venue): Promise<{ box: Box; setClock: (offsetMs: number) => void }> {
  const file = venue.path('clock');
  const setClock = (offsetMs: number): void => writeFileSync(file, String(offsetMs));
  setClock(0);
  return { box: await venue.box({ imports: [sabotage('set-clock', file)] }), setClock };
}
