import type { Sighting } from '../api/types.ts';
import { formatRelativeDay } from '../words/time.ts';
import { SightingCard } from './sighting-card.tsx';
import { useSteady } from './use-steady.ts';
import { WaitingButton } from './waiting-button.tsx';

interface Props {
  readonly items: readonly Sighting[];
  readonly now: number;
  readonly onEnrol: (sighting: Sighting) => void;
}

/** Sightings under the day on which they began. */
export function SightingList({ items, now, onEnrol }: Props) {
  const { shown, waiting, release, hold } = useSteady(items);
  const days = Map.groupBy(shown, ({ startedAt }) => formatRelativeDay(startedAt, now));
  return (
    <div className="day-list" {...hold}>
      <WaitingButton waiting={waiting} onShow={release} />
      {[...days].map(([day, sightings]) => (
        <section key={day} className="day" aria-label={day}>
          <h2>{day}</h2>
          <ul className="panel sightings">
            {sightings.map((sighting) => (
              <SightingCard key={sighting.id} sighting={sighting} now={now} onEnrol={onEnrol} />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
