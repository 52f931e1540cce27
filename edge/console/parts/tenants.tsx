import { createContext, type ReactNode, useContext } from 'react';
import { box } from '../api/box.ts';
import type { Tenant } from '../api/types.ts';
import { useLoad } from '../hooks/use-load.ts';
import { Empty } from './empty.tsx';
import { Loading } from './loading.tsx';
import { ProblemNotice } from './problem-notice.tsx';

const List = createContext<readonly Tenant[]>([]);

/** The venues of this box; at least one. */
export const useTenants = (): readonly Tenant[] => useContext(List);

/** Fetches the venues before anything that needs them is shown. */
export function Tenants({ children }: { readonly children: ReactNode }) {
  const { data, problem, reload } = useLoad('tenants', box.tenants, 15_000);
  if (data === undefined) {
    if (problem) return <ProblemNotice problem={problem} onRetry={reload} />;
    return <Loading what="the venues" />;
  }
  if (data.items.length === 0) {
    return (
      <Empty icon="lock" title="No venue on this box yet">
        <p>Declare a tenant in the configuration file, or add one by the API. It gets a vault and keys of its own.</p>
      </Empty>
    );
  }
  return <List.Provider value={data.items}>{children}</List.Provider>;
}
