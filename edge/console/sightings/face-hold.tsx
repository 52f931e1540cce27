import { sightings } from '../api/sightings.ts';
import type { Sighting } from '../api/types.ts';
import { useLoad } from '../hooks/use-load.ts';
import { useNow } from '../hooks/use-now.ts';
import { useTenants } from '../parts/tenants.tsx';
import { formatDuration } from '../words/time.ts';
import { faceTimeLeft } from './face-time-left.ts';

/** The box lets go of what it is not asked for again within ten seconds. */
const RENEW_EVERY_MS = 3000;

/**
 * Holds an unknown face for as long as this is shown, and says how long that can be: nothing of it is kept for longer than the
 * venue's policy says, unless somebody is at work on it.
 */
export function FaceHold({ sighting }: { readonly sighting: Sighting }) {
  const now = useNow(500);
  const tenant = useTenants().find(({ id }) => id === sighting.tenant);
  const { data: hold, problem } = useLoad(
    `hold ${sighting.id}`,
    (signal) => sightings.hold(sighting.tenant, sighting.id, signal),
    RENEW_EVERY_MS,
  );
  const left = hold ? Date.parse(problem ? hold.heldUntil : hold.longestUntil) - now : faceTimeLeft(sighting, tenant, now);
  if (left <= 0) return <p className="warn">The box has let this face go. Go on, and add a picture afterwards.</p>;
  const time = <strong>{formatDuration(Math.max(1000, left))}</strong>;
  return hold && !problem ? (
    <p role="timer">The box holds this face while you fill in the form, for {time} at most.</p>
  ) : (
    <p role="timer">The box lets this face go in {time}.</p>
  );
}
