import { useState } from 'react';
import { tenants } from '../api/tenants.ts';
import type { Tenant } from '../api/types.ts';
import { useLoad } from '../hooks/use-load.ts';
import { Empty } from '../parts/empty.tsx';
import { Icon } from '../parts/icon.tsx';
import { Loading } from '../parts/loading.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { ErasuresCard } from './erasures-card.tsx';
import { KeysCard } from './keys-card.tsx';
import { RoomsCard } from './rooms-card.tsx';
import { VenueDialog } from './venue-dialog.tsx';
import { VenueTable } from './venue-table.tsx';

type Open = { readonly venue: Tenant | undefined };

/** The venues of this box with their policies, and what belongs to one of them: its rooms, the keys of its programs, and its erasures. */
export function VenuesPage({ params }: { readonly params: Readonly<Record<string, string>> }) {
  const { data, problem, loading, reload } = useLoad('venues', tenants.list, 5000);
  const [open, setOpen] = useState<Open | undefined>(params.add ? { venue: undefined } : undefined);
  const venues = data?.items ?? [];
  const selected = venues.find(({ id }) => id === params.tenant) ?? venues[0];
  return (
    <>
      <PageHead title="Venues">
        <button type="button" className="button button-primary page-do" onClick={() => setOpen({ venue: undefined })}>
          <Icon name="plus" /> Add a venue
        </button>
      </PageHead>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      {loading && <Loading what="the venues" />}
      {data?.items.length === 0 && (
        <Empty icon="venues" title="No venue on this box yet">
          <p>Each venue gets a vault and keys of its own: what one of them knows, no other can find.</p>
        </Empty>
      )}
      {selected && (
        <div className="venues">
          <VenueTable venues={venues} selected={selected.id} onEdit={(venue) => setOpen({ venue })} onChanged={reload} />
          <KeysCard key={`keys of ${selected.id}`} tenant={selected.id} />
          <ErasuresCard key={`erasures of ${selected.id}`} tenant={selected.id} />
          <RoomsCard key={`rooms of ${selected.id}`} tenant={selected.id} />
        </div>
      )}
      {open && <VenueDialog venue={open.venue} org={selected?.org ?? ''} onClose={() => setOpen(undefined)} onSaved={reload} />}
    </>
  );
}
