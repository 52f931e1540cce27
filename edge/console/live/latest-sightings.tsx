import { useState } from 'react';
import { sightings } from '../api/sightings.ts';
import type { Sighting } from '../api/types.ts';
import { hrefOf } from '../hooks/route.ts';
import { useLoad } from '../hooks/use-load.ts';
import { useNow } from '../hooks/use-now.ts';
import { EnrolFromSighting } from '../sightings/enrol-from-sighting.tsx';
import { SightingCard } from '../sightings/sighting-card.tsx';
import { useSteady } from '../sightings/use-steady.ts';
import { WaitingButton } from '../sightings/waiting-button.tsx';

const SHOWN = 12;

/** The last sightings beside the pictures. Asked for again and again: a stream would hold one connection more. */
export function LatestSightings({ tenants }: { readonly tenants: readonly string[] }) {
  const now = useNow(1000);
  const [enrolling, setEnrolling] = useState<Sighting>();
  const { data, reload } = useLoad(
    `latest ${tenants.join(' ')}`,
    async (signal) => {
      const pages = await Promise.all(tenants.map((tenant) => sightings.list(tenant, { limit: SHOWN }, signal)));
      return pages
        .flatMap(({ items }) => items)
        .filter(({ outcome }) => outcome !== 'undecided')
        .sort((a, b) => b.startedAt.localeCompare(a.startedAt))
        .slice(0, SHOWN);
    },
    3000,
  );
  const { shown, waiting, release, hold } = useSteady(data ?? []);
  return (
    <aside className="latest" aria-label="Latest sightings" {...hold}>
      <header>
        <h2>Latest sightings</h2>
        <WaitingButton waiting={waiting} onShow={release} />
        <a href={hrefOf('sightings')}>All</a>
      </header>
      {data?.length === 0 && <p className="quiet">Nobody has been seen yet.</p>}
      <ul>
        {shown.map((sighting) => (
          <SightingCard key={sighting.id} sighting={sighting} now={now} dense onEnrol={setEnrolling} />
        ))}
      </ul>
      {enrolling && <EnrolFromSighting sighting={enrolling} onClose={() => setEnrolling(undefined)} onDone={reload} />}
    </aside>
  );
}
