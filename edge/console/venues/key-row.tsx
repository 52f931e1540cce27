import type { ApiKey } from '../api/types.ts';
import { StateDot } from '../parts/state-dot.tsx';
import { keyState } from '../words/key-state.ts';
import { SCOPE_WORDS } from '../words/scopes.ts';
import { formatAgo, formatDay } from '../words/time.ts';

interface Props {
  readonly apiKey: ApiKey;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  readonly onRevoke: () => void;
}

export function KeyRow({ apiKey, now, onRevoke }: Props) {
  const { id, title, scopes, createdAt, revokedAt, lastUsedAt } = apiKey;
  const { tone, word } = keyState(apiKey, now);
  return (
    <tr>
      <th scope="row">
        {title}
        {/* How the key itself begins: enough to tell which one a program has. */}
        <code className="quiet below">sgk_live_{id.slice(id.indexOf('_') + 1).slice(0, 8)}…</code>
      </th>
      <td>
        <ul className="scopes">
          {scopes.map((scope) => (
            <li key={scope} className="chip" title={SCOPE_WORDS[scope]}>
              {scope}
            </li>
          ))}
        </ul>
      </td>
      <td>
        <StateDot tone={tone}>{word}</StateDot>
        <span className="quiet below">made {formatDay(createdAt)}</span>
      </td>
      <td className="cell-tight">{lastUsedAt === null ? <span className="quiet">never</span> : formatAgo(lastUsedAt, now)}</td>
      <td className="row-do">
        {revokedAt === null && (
          <button type="button" className="button button-small button-danger-quiet" onClick={onRevoke} aria-label={`Revoke ${title}`}>
            Revoke
          </button>
        )}
      </td>
    </tr>
  );
}
