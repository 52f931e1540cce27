import type { Problem } from '../api/types.ts';
import { rejectionAdvice } from '../words/rejection.ts';
import { Icon } from './icon.tsx';

interface Props {
  readonly problem: Problem;
  readonly onRetry?: (() => void) | undefined;
}

/** A refusal as the box tells it: what happened, why, and what to do next. */
export function ProblemNotice({ problem, onRetry }: Props) {
  const reasons = Array.isArray(problem.details.reasons) ? problem.details.reasons.map(String) : [];
  return (
    <div className="notice notice-bad" role="alert">
      <Icon name="alert" />
      <div className="notice-body">
        <strong>{problem.title}</strong>
        {reasons.length > 0 ? (
          <ul className="notice-reasons">
            {reasons.map((reason) => (
              <li key={reason}>{rejectionAdvice(reason)}</li>
            ))}
          </ul>
        ) : (
          problem.detail !== problem.title && <p>{problem.detail}</p>
        )}
        <p className="notice-next">{problem.next}</p>
        {problem.requestId !== '' && <p className="notice-id">Request {problem.requestId}</p>}
      </div>
      {onRetry && (
        <button type="button" className="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
