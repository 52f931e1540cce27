import { sightings } from '../api/sightings.ts';
import type { Customer } from '../api/types.ts';
import { useLoad } from '../hooks/use-load.ts';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { formatMoment } from '../words/time.ts';

const SHOWN = 8;

/** Where a person was seen last. */
export function SeenCard({ tenant, customer }: { readonly tenant: string; readonly customer: Customer }) {
  const { data, problem, reload } = useLoad(
    `seen ${customer.id}`,
    (signal) => sightings.list(tenant, { customerId: customer.id, limit: SHOWN }, signal),
    10_000,
  );
  return (
    <section className="card" aria-label="Last seen">
      <h3>Last seen</h3>
      {problem && <ProblemNotice problem={problem} onRetry={reload} />}
      {data?.items.length === 0 && <p className="quiet">Not seen yet.</p>}
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
                <td className="number">{score?.toFixed(2) ?? '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
