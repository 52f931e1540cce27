import { useState } from 'react';
import { erasures } from '../api/erasures.ts';
import { useLoad } from '../hooks/use-load.ts';
import { ConfirmDialog } from '../parts/confirm-dialog.tsx';
import { Loading } from '../parts/loading.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { StateDot } from '../parts/state-dot.tsx';
import { useSay } from '../parts/toasts.tsx';
import { erasureState } from '../words/erasure-state.ts';
import { formatMoment } from '../words/time.ts';

/** Who was erased at one venue, by ids that belong to nobody any more, and how far that goes. */
export function ErasuresCard({ tenant }: { readonly tenant: string }) {
  const { data, problem, loading, reload } = useLoad(`erasures ${tenant}`, (signal) => erasures.list(tenant, signal), 15_000);
  const [asking, setAsking] = useState(false);
  const say = useSay();
  return (
    <section className="panel card" aria-label="Erasures">
      <header className="card-head">
        <h2>Erasures of {tenant}</h2>
        <button type="button" className="button button-small" onClick={() => setAsking(true)}>
          Replace the venue’s key
        </button>
      </header>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      {loading && <Loading rows={2} what="the erasures" />}
      {data?.items.length === 0 && <p className="quiet">Nobody was erased yet.</p>}
      {data && data.items.length > 0 && (
        <div className="table-scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">Erased</th>
                <th scope="col">State</th>
                <th scope="col">Former id</th>
              </tr>
            </thead>
            <tbody>
              {data.items.map((erasure) => {
                const { tone, word, note } = erasureState(erasure);
                return (
                  <tr key={erasure.customerId}>
                    <th scope="row">{formatMoment(erasure.erasedAt)}</th>
                    <td>
                      <StateDot tone={tone}>{word}</StateDot>
                      <span className="quiet below">{note}</span>
                    </td>
                    <td>
                      <code className="quiet">{erasure.customerId}</code>
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      {asking && (
        <ConfirmDialog
          title={`Replace the key of ${tenant}?`}
          verb="Replace"
          onClose={() => setAsking(false)}
          onConfirm={async () => {
            await erasures.move(tenant);
            say(`${tenant} has another key. Keep a copy of it.`);
            setAsking(false);
            reload();
          }}
        >
          <p>
            Older copies of this venue’s data open no more with the key on this box.{' '}
            <strong>Copies of the old key file open nothing new:</strong> keep a copy of the new one, and destroy those of the old one.
          </p>
        </ConfirmDialog>
      )}
    </section>
  );
}
