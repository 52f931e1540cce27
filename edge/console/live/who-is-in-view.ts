import type { LiveTrack } from './live-message.ts';

/** Sorts those who are on a picture by what the box says of them. */
export function whoIsInView(tracks: readonly LiveTrack[]): { known: LiveTrack[]; unknown: number; undecided: number } {
  const known = tracks.filter(({ outcome }) => outcome === 'person');
  const unknown = tracks.filter(({ outcome }) => outcome === 'unknown').length;
  return { known, unknown, undecided: tracks.length - known.length - unknown };
}
