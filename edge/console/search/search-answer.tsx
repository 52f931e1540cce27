import type { SearchResult } from '../api/types.ts';
import { hrefOf } from '../hooks/route.ts';
import { Bar } from '../parts/bar.tsx';
import { QualityVerdict } from '../parts/quality-verdict.tsx';
import { formatSimilarity } from '../words/similarity.ts';

interface Props {
  readonly tenant: string;
  readonly result: SearchResult;
}

/** Candidates, most similar first, against the line from which on the box says a name. */
export function SearchAnswer({ tenant, result: { candidates, threshold, quality } }: Props) {
  const best = candidates[0];
  return (
    <>
      <h2>{best?.match ? (best.name ?? 'Known') : 'Nobody known'}</h2>
      <p className="quiet">
        {best === undefined
          ? `Nobody is enrolled at ${tenant}.`
          : best.match
            ? `The box would say this name: ${formatSimilarity(best.score)} reaches the threshold of ${formatSimilarity(threshold)}.`
            : `The nearest reaches ${formatSimilarity(best.score)}; a name is said from ${formatSimilarity(threshold)} on.`}
      </p>
      <ol className="candidates">
        {candidates.map(({ customerId, name, score, match }) => (
          <li key={customerId}>
            <a href={hrefOf('people', { tenant, customer: customerId })}>{name ?? 'Known'}</a>
            <span className={match ? 'chip chip-good' : 'chip'}>{match ? 'match' : 'below'}</span>
            <span className="number">{formatSimilarity(score)}</span>
            <Bar value={score} mark={threshold} tone={match ? 'good' : 'off'} />
          </li>
        ))}
      </ol>
      <QualityVerdict title="A face was found." quality={quality} />
    </>
  );
}
