import type { Sighting } from '../api/types.ts';

/** Who was seen, in words. */
export function whoIs({ outcome, name }: Pick<Sighting, 'outcome' | 'name'>): string {
  switch (outcome) {
    case 'person':
      return name ?? 'Known person';
    case 'unknown':
      return 'Unknown';
    case 'undecided':
      return 'Not clear enough';
  }
}
