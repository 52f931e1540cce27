import { writeFileSync } from 'node:fs';
import type { Box } from './box.ts';
import type { Venue } from './venue.ts';

/** A box whose wall clock can be set, apart from the machine's. */
export async function boxWithClock(venue: Venue): Promise<{ box: Box; setClock: (offsetMs: number) => void }> {
  const file = venue.path('clock');
  const setClock = (offsetMs: number): void => writeFileSync(file, String(offsetMs));
  setClock(0);
  const sabotage = new URL('../sabotage/set-clock.ts', import.meta.url);
  sabotage.searchParams.set('file', file);
  return { box: await venue.box({ imports: [sabotage] }), setClock };
}
