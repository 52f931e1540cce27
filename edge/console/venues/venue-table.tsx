import type { Tenant } from '../api/types.ts';
import { hrefOf } from '../hooks/route.ts';
import { FixedNote } from '../parts/fixed-note.tsx';
import { Icon } from '../parts/icon.tsx';
import { StateDot } from '../parts/state-dot.tsx';
import { errorWords } from '../words/error-words.ts';
import { formatSimilarity } from '../words/similarity.ts';
import { vaultState } from '../words/vault-state.ts';
import { OpenAgain } from './open-again.tsx';

interface Props {
  readonly venues: readonly Tenant[];
  /** Whose keys and rooms are shown. */
  readonly selected: string;
  readonly onEdit: (venue: Tenant) => void;
  readonly onChanged: () => void;
}

export function VenueTable({ venues, selected, onEdit, onChanged }: Props) {
  return (
    <div className="panel table-scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Venue and organisation</th>
            <th scope="col">Vault</th>
            <th scope="col">Says a name from</th>
            <th scope="col">Keeps unknown faces</th>
            <th scope="col">Keeps sightings</th>
            <th scope="col">
              <span className="unseen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {venues.map((venue) => (
            <VenueRow key={venue.id} venue={venue} isSelected={venue.id === selected} onEdit={() => onEdit(venue)} onChanged={onChanged} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  readonly venue: Tenant;
  readonly isSelected: boolean;
  readonly onEdit: () => void;
  readonly onChanged: () => void;
}

function VenueRow({
  venue: { id, org, state, reason, matchThreshold, unmatchedTtlMs, sightingsDays, fixed },
  isSelected,
  onEdit,
  onChanged,
}: RowProps) {
  const { tone, word } = vaultState(state);
  return (
    <tr className={isSelected ? 'row-selected' : undefined}>
      <th scope="row">
        <a href={hrefOf('venues', { tenant: id })} aria-current={isSelected ? 'true' : undefined}>
          {id}
        </a>
        <span className="quiet below">{org}</span>
      </th>
      <td>
        <StateDot tone={tone}>{word}</StateDot>
        {reason !== null && <span className="below">{errorWords(reason).title}.</span>}
        {state === 'failed' && <OpenAgain venue={id} onTried={onChanged} />}
      </td>
      <td>
        {matchThreshold === null ? <span className="quiet">the model’s own limit</span> : `similarity ${formatSimilarity(matchThreshold)}`}
      </td>
      <td>{unmatchedTtlMs / 1000} s</td>
      <td>{sightingsDays === 1 ? '1 day' : `${sightingsDays} days`}</td>
      <td className="row-do">
        {fixed ? (
          <FixedNote />
        ) : (
          <button type="button" className="button button-icon" onClick={onEdit} aria-label={`Edit ${id}`}>
            <Icon name="edit" />
          </button>
        )}
      </td>
    </tr>
  );
}
