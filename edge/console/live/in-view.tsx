import { hrefOf } from '../hooks/route.ts';
import type { LiveTrack } from './live-message.ts';

interface Props {
  readonly tracks: readonly LiveTrack[];
  readonly tenant: string;
}

/** Who is on the picture, in words: for readers of names, and for those who cannot see the canvas. */
export function InView({ tracks, tenant }: Props) {
  const known = tracks.filter(({ outcome }) => outcome === 'person');
  const unknown = tracks.filter(({ outcome }) => outcome === 'unknown').length;
  const undecided = tracks.length - known.length - unknown;
  if (tracks.length === 0) return <span className="quiet">Nobody in view</span>;
  return (
    <ul className="in-view">
      {known.map(({ track, customerId, name }) => (
        <li key={track}>
          <a className="chip chip-good" href={hrefOf('people', { tenant, customer: customerId ?? undefined })}>
            {name ?? 'Known'}
          </a>
        </li>
      ))}
      {unknown > 0 && <li className="chip chip-wait">{unknown} unknown</li>}
      {undecided > 0 && <li className="chip">{undecided} undecided</li>}
    </ul>
  );
}
