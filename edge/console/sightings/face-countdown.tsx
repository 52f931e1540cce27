import type { Sighting } from '../api/types.ts';
import { useNow } from '../hooks/use-now.ts';
import { useTenants } from '../parts/tenants.tsx';
import { faceTimeLeft } from './face-time-left.ts';

/** Says how long the box still holds an unknown face: nothing of it is kept for longer than the venue's policy says. */
export function FaceCountdown({ sighting }: { readonly sighting: Sighting }) {
  const now = useNow(500);
  const tenant = useTenants().find(({ id }) => id === sighting.tenant);
  const seconds = Math.ceil(faceTimeLeft(sighting, tenant, now) / 1000);
  return seconds > 0 ? (
    <p className="countdown" role="timer">
      The box lets this face go in <strong>{seconds} s</strong>.
    </p>
  ) : (
    <p className="countdown warn">The box has let this face go. Go on, and add a picture afterwards.</p>
  );
}
