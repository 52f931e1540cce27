import type { SearchResult } from '../api/types.ts';
import { hrefOf } from '../hooks/route.ts';
import { Bar } from '../parts/bar.tsx';
import { QualityVerdict } from '../parts/quality-verdict.tsx';

interface Props {
  readonly tenant: string;
  readonly result: SearchResult;
}

/** Candidates, most similar first, against the line from which on the box says a name. */
export function SearchAnswer({ tenant, result: { candidates, threshold, quality } }: Props) {
  const best = candidates[0];
  return (
    <>
      <h2>{best?.match ? best.name : 'Nobody known'}</h2>
      <p className="quiet">
        {best === undefined
          ? `Nobody is enrolled at ${tenant}.`
          : best.match
            ? `The box would say this name: ${best.score.toFixed(2)} reaches the threshold of ${threshold.toFixed(2)}.`
            : `The nearest reaches ${best.score.toFixed(2)}; a name is said from ${threshold.toFixed(2)} on.`}
      </p>
      <ol className="candidates">
        {candidates.map(({ customerId, name, score, match }) => (
          <li key={customerId}>
            <a href={hrefOf('people', { tenant, customer: customerId })}>{name}</a>
            <span className={match ? 'chip chip-good' : 'chip'}>{match ? 'match' : 'below'}</span>
            <span className="number">{score.toFixed(3)}</span>
            <Bar value={score} mark={threshold} tone={match ? 'good' : 'off'} />
          </li>
        ))}
      </ol>
      <QualityVerdict title="A face was found." quality={quality} />
    </>
  );
}
