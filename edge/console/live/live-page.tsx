import { useState } from 'react';
import { hrefOf } from '../hooks/route.ts';
import { Empty } from '../parts/empty.tsx';
import { Icon } from '../parts/icon.tsx';
import { Loading } from '../parts/loading.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { TenantChoice } from '../parts/tenant-choice.tsx';
import { useTenants } from '../parts/tenants.tsx';
import { LatestSightings } from './latest-sightings.tsx';
import { LiveTile } from './live-tile.tsx';
import { Pager } from './pager.tsx';
import { useAllCameras } from './use-all-cameras.ts';

/** Browsers open six connections to a box without HTTP/2; each tile holds one, and the rest of the page needs its share. */
const TILES_A_PAGE = 4;

export function LivePage({ params }: { readonly params: Readonly<Record<string, string>> }) {
  const filter = params.tenant ?? '';
  const tenants = useTenants()
    .map(({ id }) => id)
    .filter((id) => filter === '' || id === filter);
  const { data, problem, loading, reload } = useAllCameras(tenants);
  const [start, setStart] = useState(0);
  const all = data ?? [];
  const alone = all.find(({ tenant, camera }) => tenant === params.of && camera.id === params.camera);
  const first = start < all.length ? start : 0;
  const shown = alone ? [alone] : all.slice(first, first + TILES_A_PAGE);
  return (
    <>
      <PageHead title="Live">
        <TenantChoice page="live" tenant={filter} all />
        {!alone && <Pager first={first} shown={shown.length} total={all.length} step={TILES_A_PAGE} onStart={setStart} />}
      </PageHead>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      {loading && <Loading rows={2} what="the cameras" />}
      {data?.length === 0 && (
        <Empty icon="cameras" title="No camera yet">
          <p>Add the first one with its address; the box tests it with a picture before it is kept.</p>
          <a className="button button-primary" href={hrefOf('cameras', { tenant: filter, add: 'yes' })}>
            <Icon name="plus" /> Add a camera
          </a>
        </Empty>
      )}
      {shown.length > 0 && (
        <div className="live">
          <div className={shown.length === 1 ? 'tiles tiles-one' : 'tiles'}>
            {shown.map(({ tenant, camera }) => (
              <LiveTile key={`${tenant}/${camera.id}`} tenant={tenant} camera={camera} alone={alone !== undefined} filter={filter} />
            ))}
          </div>
          <LatestSightings tenants={tenants} />
        </div>
      )}
    </>
  );
}
