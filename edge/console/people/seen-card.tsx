import { sightings } from '../api/sightings.ts';
import type { Customer } from '../api/types.ts';
import { useLoad } from '../hooks/use-load.ts';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { StateDot } from '../parts/state-dot.tsx';
import { formatSimilarity } from '../words/similarity.ts';
import { formatClock, formatMoment } from '../words/time.ts';

const SHOWN = 8;

/** Where a person is now, and was seen last. */
export function SeenCard({ tenant, customer }: { readonly tenant: string; readonly customer: Customer }) {
  const { data, problem, reload } = useLoad(
    `seen ${customer.id}`,
    (signal) => sightings.list(tenant, { customerId: customer.id, limit: SHOWN }, signal),
    5000,
  );
  const inView = useLoad(`in view ${tenant}`, (signal) => sightings.inView(tenant, signal), 2000);
  const now = inView.data?.items.filter(({ customerId }) => customerId === customer.id) ?? [];
  return (
    <section className="card" aria-label="Last seen">
      <h3>Last seen</h3>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      {now.map(({ id, camera, startedAt }) => (
        <p key={id}>
          <StateDot tone="good">In view now at {camera}</StateDot> <span className="quiet">since {formatClock(startedAt)}</span>
        </p>
      ))}
      {data?.items.length === 0 && now.length === 0 && <p className="quiet">Not seen yet.</p>}
      {data && data.items.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">Camera</th>
              <th scope="col" className="number">
                Similarity
              </th>
            </tr>
          </thead>
          <tbody>
            {data.items.map(({ id, startedAt, camera, score }) => (
              <tr key={id}>
                <td>{formatMoment(startedAt)}</td>
                <td>{camera}</td>
                <td className="number">{score === null ? '–' : formatSimilarity(score)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
