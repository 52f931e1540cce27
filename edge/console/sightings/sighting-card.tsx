import { sightings } from '../api/sightings.ts';
import type { Sighting } from '../api/types.ts';
import { hrefOf } from '../hooks/route.ts';
import { FacePicture } from '../parts/face-picture.tsx';
import { Icon } from '../parts/icon.tsx';
import { useTenants } from '../parts/tenants.tsx';
import { formatSimilarity } from '../words/similarity.ts';
import { formatAgo, formatClock } from '../words/time.ts';
import { faceTimeLeft } from './face-time-left.ts';
import { whoIs } from './who-is.ts';

interface Props {
  readonly sighting: Sighting;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  readonly dense?: boolean;
  readonly onEnrol: (sighting: Sighting) => void;
}

/** One sighting in a list: who, where, when, how sure, and what can be done about it. */
export function SightingCard({ sighting, now, dense = false, onEnrol }: Props) {
  const { id, tenant, camera, outcome, customerId, score, votes, startedAt, endedAt, phase } = sighting;
  const hasFace =
    faceTimeLeft(
      sighting,
      useTenants().find((known) => known.id === tenant),
      now,
    ) > 0;
  const who = whoIs(sighting);
  const seconds = Math.max(1, Math.round((Date.parse(endedAt) - Date.parse(startedAt)) / 1000));
  return (
    <li className={`sighting sighting-${outcome}`}>
      <FacePicture src={hasFace ? sightings.picturePath(tenant, id) : null} alt={`Best shot of ${who}`} />
      <div className="sighting-who">
        {customerId === null ? (
          <strong>{who}</strong>
        ) : (
          <a href={hrefOf('people', { tenant, customer: customerId })}>
            <strong>{who}</strong>
          </a>
        )}
        <span className="quiet">
          {camera} · {tenant}
        </span>
      </div>
      {!dense && (
        <div className="sighting-facts">
          {score === null ? (
            <span className="quiet">{outcome === 'unknown' ? 'like nobody enrolled' : 'no good shot'}</span>
          ) : (
            <span>
              similarity {formatSimilarity(score)} <span className="quiet">from {votes === 1 ? '1 shot' : `${votes} shots`}</span>
            </span>
          )}
          <span className="quiet">{phase === 'begun' ? 'in view now' : `in view for ${seconds} s`}</span>
        </div>
      )}
      <time className="sighting-when" dateTime={startedAt} title={formatClock(startedAt)}>
        {dense ? formatAgo(startedAt, now) : formatClock(startedAt)}
        {!dense && <span className="quiet">{formatAgo(startedAt, now)}</span>}
      </time>
      <div className="sighting-do">
        {outcome === 'unknown' && hasFace && (
          <button type="button" className="button button-small" onClick={() => onEnrol(sighting)}>
            <Icon name="plus" /> Enrol
          </button>
        )}
      </div>
    </li>
  );
}
