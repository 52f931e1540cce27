import { createContext, type ReactNode, useContext } from 'react';
import { tenants } from '../api/tenants.ts';
import type { Tenant } from '../api/types.ts';
import { hrefOf } from '../hooks/route.ts';
import { useLoad } from '../hooks/use-load.ts';
import { Empty } from './empty.tsx';
import { Icon } from './icon.tsx';
import { Loading } from './loading.tsx';
import { ProblemNotice } from './problem-notice.tsx';

const List = createContext<readonly Tenant[]>([]);

/** The venues of this box; at least one. */
export const useTenants = (): readonly Tenant[] => useContext(List);

/** Fetches the venues before anything that needs them is shown. */
export function Tenants({ children }: { readonly children: ReactNode }) {
  const { data, problem, reload } = useLoad('tenants', tenants.list, 15_000);
  if (data === undefined) {
    if (problem) return <ProblemNotice problem={problem} onRetry={reload} />;
    return <Loading what="the venues" />;
  }
  if (data.items.length === 0) {
    return (
      <Empty icon="lock" title="No venue on this box yet">
        <p>Each venue gets a vault and keys of its own.</p>
        <a className="button button-primary" href={hrefOf('venues', { add: 'yes' })}>
          <Icon name="plus" /> Add a venue
        </a>
      </Empty>
    );
  }
  return <List.Provider value={data.items}>{children}</List.Provider>;
}
