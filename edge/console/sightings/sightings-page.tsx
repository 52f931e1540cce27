import { useState } from 'react';
import type { Sighting } from '../api/types.ts';
import { hrefOf } from '../hooks/route.ts';
import { useAction } from '../hooks/use-action.ts';
import { useNow } from '../hooks/use-now.ts';
import { goTo } from '../hooks/use-route.ts';
import { useAllCameras } from '../live/use-all-cameras.ts';
import { Choice } from '../parts/choice.tsx';
import { Empty } from '../parts/empty.tsx';
import { Loading } from '../parts/loading.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { StateDot } from '../parts/state-dot.tsx';
import { TenantChoice } from '../parts/tenant-choice.tsx';
import { useTenants } from '../parts/tenants.tsx';
import { EnrolFromSighting } from './enrol-from-sighting.tsx';
import { SightingList } from './sighting-list.tsx';
import { useFeed } from './use-feed.ts';

const OUTCOMES = [
  { value: '', label: 'Everyone' },
  { value: 'person', label: 'Known' },
  { value: 'unknown', label: 'Unknown' },
  { value: 'undecided', label: 'Not clear' },
] as const;

export function SightingsPage({ params }: { readonly params: Readonly<Record<string, string>> }) {
  const ids = useTenants().map(({ id }) => id);
  const tenant = ids.find((id) => id === params.tenant) ?? '';
  const tenants = tenant === '' ? ids : [tenant];
  const outcome = OUTCOMES.find(({ value }) => value === params.outcome)?.value ?? '';
  const camera = params.camera ?? '';
  const cameras = useAllCameras(tenants);
  const now = useNow(1000);
  const [enrolling, setEnrolling] = useState<Sighting>();
  const more = useAction();
  const feed = useFeed(tenants, { ...(camera === '' ? {} : { camera }), ...(outcome === '' ? {} : { outcome }) });
  const narrow = (change: Readonly<Record<string, string>>): void => goTo(hrefOf('sightings', { tenant, outcome, camera, ...change }));
  return (
    <>
      <PageHead title="Sightings">
        <TenantChoice page="sightings" tenant={tenant} all />
        <Choice label="Who" value={outcome} options={OUTCOMES} onChange={(value) => narrow({ outcome: value })} />
        <select aria-label="Camera" value={camera} onChange={(event) => narrow({ camera: event.target.value })}>
          <option value="">All cameras</option>
          {cameras.data?.map((entry) => (
            <option key={`${entry.tenant}/${entry.camera.id}`} value={entry.camera.slug}>
              {entry.camera.title || entry.camera.slug}
              {tenants.length > 1 ? ` · ${entry.tenant}` : ''}
            </option>
          ))}
        </select>
        <span className="page-state">
          <StateDot tone={feed.following ? 'good' : 'wait'}>{feed.following ? 'Following' : 'Reconnecting'}</StateDot>
        </span>
      </PageHead>
      {feed.problem && <ProblemNotice problem={feed.problem} onRetry={feed.reload} />}
      {feed.items === undefined && !feed.problem && <Loading rows={6} what="the sightings" />}
      {feed.items?.length === 0 && (
        <Empty icon="sightings" title={outcome === '' && camera === '' ? 'No sighting yet' : 'Nothing fits these filters'}>
          <p>Sightings appear here by themselves: of somebody known at once, of somebody unknown on leaving the picture.</p>
        </Empty>
      )}
      {feed.items && feed.items.length > 0 && <SightingList items={feed.items} now={now} onEnrol={setEnrolling} />}
      {more.problem && <ProblemNotice problem={more.problem} />}
      {feed.hasMore && (
        <p className="more">
          <button type="button" className="button" disabled={more.busy} onClick={() => void more.run(feed.loadMore)}>
            {more.busy ? 'Loading…' : 'Earlier sightings'}
          </button>
        </p>
      )}
      {enrolling && <EnrolFromSighting sighting={enrolling} onClose={() => setEnrolling(undefined)} onDone={feed.reload} />}
    </>
  );
}
