import { hrefOf } from '../hooks/route.ts';
import { Empty } from '../parts/empty.tsx';
import { Icon } from '../parts/icon.tsx';
import { Loading } from '../parts/loading.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { TenantChoice } from '../parts/tenant-choice.tsx';
import { useTenants } from '../parts/tenants.tsx';
import { LatestSightings } from './latest-sightings.tsx';
import { LiveGrid } from './live-grid.tsx';
import { useAllCameras } from './use-all-cameras.ts';

/** More tiles take the whole width, unless the screen is very wide. */
const FEW = 4;

export function LivePage({ params }: { readonly params: Readonly<Record<string, string>> }) {
  const filter = params.tenant ?? '';
  const tenants = useTenants()
    .map(({ id }) => id)
    .filter((id) => filter === '' || id === filter);
  const { data, problem, loading, reload } = useAllCameras(tenants);
  const all = data ?? [];
  const alone = all.filter(({ tenant, camera }) => tenant === params.of && camera.id === params.camera);
  const shown = alone.length > 0 ? alone : all;
  return (
    <>
      <PageHead title="Live">
        <TenantChoice page="live" tenant={filter} all />
      </PageHead>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      {loading && <Loading rows={2} what="the cameras" />}
      {data?.length === 0 && (
        <Empty icon="cameras" title="No camera yet">
          <p>Add the first one with its RTSP address; a test shows what the box sees there.</p>
          <a className="button button-primary" href={hrefOf('cameras', { tenant: filter, add: 'yes' })}>
            <Icon name="plus" /> Add a camera
          </a>
        </Empty>
      )}
      {shown.length > 0 && (
        <div className={shown.length > FEW ? 'live live-many' : 'live'}>
          <LiveGrid cameras={shown} alone={alone.length > 0} filter={filter} />
          <LatestSightings tenants={tenants} />
        </div>
      )}
    </>
  );
}
