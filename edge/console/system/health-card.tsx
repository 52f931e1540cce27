import type { Problem, Readiness } from '../api/types.ts';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { StateDot } from '../parts/state-dot.tsx';
import { errorWords } from '../words/error-words.ts';

interface Props {
  readonly readiness: Readiness | undefined;
  readonly problem: Problem | undefined;
}

/** Each part of the box, why it is not ready, and what somebody should see to. */
export function HealthCard({ readiness, problem }: Props) {
  const failing = readiness?.parts.filter(({ ready }) => !ready).length ?? 0;
  return (
    <section className="panel card" aria-label="Health">
      <header className="card-head">
        <h2>Health</h2>
        {readiness && (
          <StateDot tone={failing === 0 ? 'good' : 'bad'}>
            {failing === 0 ? 'All parts are ready' : `${failing} of ${readiness.parts.length} not ready`}
          </StateDot>
        )}
      </header>
      {problem && <ProblemNotice problem={problem} />}
      <ul className="parts">
        {readiness?.parts
          .toSorted((a, b) => Number(a.ready) - Number(b.ready))
          .map(({ part, ready, reason }) => (
            <li key={part}>
              <StateDot tone={ready ? 'good' : 'bad'}>{part}</StateDot>
              {reason !== null && <span className="quiet below">{errorWords(reason).title}</span>}
            </li>
          ))}
        {readiness?.warnings.map((reason) => (
          <li key={reason}>
            <StateDot tone="warn">{errorWords(reason).title}</StateDot>
            <span className="quiet below">{errorWords(reason).next}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
