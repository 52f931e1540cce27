import { useState } from 'react';
import { apiKeys } from '../api/api-keys.ts';
import type { ApiKey } from '../api/types.ts';
import { useLoad } from '../hooks/use-load.ts';
import { useNow } from '../hooks/use-now.ts';
import { ConfirmDialog } from '../parts/confirm-dialog.tsx';
import { Icon } from '../parts/icon.tsx';
import { Loading } from '../parts/loading.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { useSay } from '../parts/toasts.tsx';
import { KeyRow } from './key-row.tsx';
import { NewKey } from './new-key.tsx';

/** The keys by which programs reach one venue. */
export function KeysCard({ tenant }: { readonly tenant: string }) {
  const { data, problem, loading, reload } = useLoad(`keys ${tenant}`, (signal) => apiKeys.list(tenant, signal), 15_000);
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<ApiKey>();
  const now = useNow(15_000);
  const say = useSay();
  return (
    <section className="panel card" aria-label="API keys">
      <header className="card-head">
        <h2>API keys of {tenant}</h2>
        <button type="button" className="button button-small" onClick={() => setMaking(true)}>
          <Icon name="plus" /> Make a key
        </button>
      </header>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      {loading && <Loading rows={2} what="the keys" />}
      {data?.items.length === 0 && (
        <p className="quiet">No key yet. A program that works with this venue gets one of its own, for what it needs and nothing else.</p>
      )}
      {data && data.items.length > 0 && (
        <div className="table-scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">Program</th>
                <th scope="col">May</th>
                <th scope="col">State</th>
                <th scope="col">Last used</th>
                <th scope="col">
                  <span className="unseen">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {data.items.toReversed().map((key) => (
                <KeyRow key={key.id} apiKey={key} now={now} onRevoke={() => setRevoking(key)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {making && <NewKey tenant={tenant} onClose={() => setMaking(false)} onMade={reload} />}
      {revoking && (
        <ConfirmDialog
          title={`Revoke the key of ${revoking.title}?`}
          verb="Revoke"
          onClose={() => setRevoking(undefined)}
          onConfirm={async () => {
            await apiKeys.revoke(tenant, revoking.id);
            say(`The key of ${revoking.title} opens nothing any more.`);
            setRevoking(undefined);
            reload();
          }}
        >
          <p>
            Whatever uses this key is locked out at once. <strong>This cannot be undone</strong>; a new key can be made.
          </p>
        </ConfirmDialog>
      )}
    </section>
  );
}
