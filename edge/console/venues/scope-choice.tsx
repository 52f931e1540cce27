import type { Scope } from '../../api/schemas/box.ts';
import { SCOPE_WORDS, SCOPES } from '../words/scopes.ts';

interface Props {
  readonly chosen: readonly Scope[];
  readonly onChosen: (scopes: readonly Scope[]) => void;
}

/** What a program may do; at least one thing. */
export function ScopeChoice({ chosen, onChosen }: Props) {
  return (
    <fieldset className="group">
      <legend>The program may</legend>
      <div className="scope-choice">
        {SCOPES.map((scope) => (
          <label key={scope} className="check">
            <input
              type="checkbox"
              // The browser asks for one of them, and no longer once any is chosen.
              required={chosen.length === 0}
              checked={chosen.includes(scope)}
              onChange={(event) => onChosen(event.target.checked ? [...chosen, scope] : chosen.filter((other) => other !== scope))}
            />
            <span>
              {SCOPE_WORDS[scope]} <code className="quiet">{scope}</code>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
