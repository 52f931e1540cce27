import type { LiveTrack } from './live-message.ts';
import { whoIsInView } from './who-is-in-view.ts';

/** Who is on the picture, in one line for those who cannot see it. */
export function inViewWords(tracks: readonly LiveTrack[]): string {
  const { known, unknown, undecided } = whoIsInView(tracks);
  const words = known.map(({ name }) => name ?? 'Known');
  if (unknown > 0) words.push(`${unknown} unknown`);
  if (undecided > 0) words.push(`${undecided} undecided`);
  return words.length === 0 ? 'nobody in view' : words.join(', ');
}
