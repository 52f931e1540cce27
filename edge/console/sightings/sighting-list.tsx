import type { Sighting } from '../api/types.ts';
import { formatRelativeDay } from '../words/time.ts';
import { SightingCard } from './sighting-card.tsx';

interface Props {
  readonly items: readonly Sighting[];
  readonly now: number;
  readonly onEnrol: (sighting: Sighting) => void;
}

/** Sightings under the day on which they began. */
export function SightingList({ items, now, onEnrol }: Props) {
  const days = Map.groupBy(items, ({ startedAt }) => formatRelativeDay(startedAt, now));
  return [...days].map(([day, sightings]) => (
    <section key={day} className="day" aria-label={day}>
      <h2>{day}</h2>
      <ul className="panel sightings">
        {sightings.map((sighting) => (
          <SightingCard key={sighting.id} sighting={sighting} now={now} onEnrol={onEnrol} />
        ))}
      </ul>
    </section>
  ));
}
