import { Bar } from '../parts/bar.tsx';
import { rejectionName } from '../words/rejection.ts';

/** Why faces were not good enough to be compared: tells what to change at the cameras. */
export function RejectionsCard({ rejections }: { readonly rejections: Readonly<Record<string, number>> }) {
  const rows = Object.entries(rejections).sort(([, a], [, b]) => b - a);
  const most = rows[0]?.[1] ?? 1;
  return (
    <section className="panel card" aria-label="Faces turned away">
      <h2>Faces turned away</h2>
      {rows.length === 0 && <p className="quiet">None so far.</p>}
      <ul className="shares">
        {rows.map(([reason, count]) => (
          <li key={reason}>
            <span>{rejectionName(reason)}</span>
            <Bar value={count / most} tone="off" />
            <span className="number">{count}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
