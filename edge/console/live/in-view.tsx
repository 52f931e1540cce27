import { hrefOf } from '../hooks/route.ts';
import type { LiveTrack } from './live-message.ts';
import { whoIsInView } from './who-is-in-view.ts';

interface Props {
  readonly tracks: readonly LiveTrack[];
  readonly tenant: string;
}

/** Who is on the picture, with a way to the people who are known. */
export function InView({ tracks, tenant }: Props) {
  const { known, unknown, undecided } = whoIsInView(tracks);
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
