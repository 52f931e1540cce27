import { useState } from 'react';
import type { Sighting } from '../api/types.ts';
import { hrefOf } from '../hooks/route.ts';
import { useNow } from '../hooks/use-now.ts';
import { EnrolFromSighting } from '../sightings/enrol-from-sighting.tsx';
import { SightingCard } from '../sightings/sighting-card.tsx';
import { useFeed } from '../sightings/use-feed.ts';
import { useSteady } from '../sightings/use-steady.ts';
import { WaitingButton } from '../sightings/waiting-button.tsx';

const SHOWN = 12;
/** Of a venue: some are not shown, since it is not clear who they were of. */
const KEPT = 40;

/** The last sightings beside the pictures. */
export function LatestSightings({ tenants }: { readonly tenants: readonly string[] }) {
  const now = useNow(1000);
  const [enrolling, setEnrolling] = useState<Sighting>();
  const { items, reload } = useFeed(tenants, {}, KEPT);
  const latest = items?.filter(({ outcome }) => outcome !== 'undecided').slice(0, SHOWN) ?? [];
  const { shown, waiting, release, hold } = useSteady(latest);
  return (
    <aside className="latest" aria-label="Latest sightings" {...hold}>
      <header>
        <h2>Latest sightings</h2>
        <WaitingButton waiting={waiting} onShow={release} />
        <a href={hrefOf('sightings')}>All</a>
      </header>
      {items !== undefined && latest.length === 0 && (
        <p className="quiet">No sighting yet. Somebody unknown is listed on leaving the picture.</p>
      )}
      <ul>
        {shown.map((sighting) => (
          <SightingCard key={sighting.id} sighting={sighting} now={now} dense onEnrol={setEnrolling} />
        ))}
      </ul>
      {enrolling && <EnrolFromSighting sighting={enrolling} onClose={() => setEnrolling(undefined)} onDone={reload} />}
    </aside>
  );
}
