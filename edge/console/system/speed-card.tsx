import type { System } from '../api/types.ts';

/** How long a picture takes, on what it is computed, and whether the daemon keeps breathing. */
export function SpeedCard({ stats: { latencyMs, eventLoopMs, provider } }: { readonly stats: System['stats'] }) {
  const rows = [
    { name: 'A picture, from arrival to decision', ...latencyMs },
    { name: 'Event loop delay', ...eventLoopMs },
  ];
  return (
    <section className="panel card" aria-label="Speed">
      <header className="card-head">
        <h2>Speed</h2>
        <span className={provider.fallbackReason === null ? 'chip chip-good' : 'chip chip-wait'}>runs on {provider.name}</span>
      </header>
      {provider.fallbackReason !== null && (
        <p>
          <strong>Fell back to {provider.name}.</strong> {provider.fallbackReason}
        </p>
      )}
      <table>
        <thead>
          <tr>
            <th scope="col">Milliseconds</th>
            <th scope="col" className="number">
              p50
            </th>
            <th scope="col" className="number">
              p95
            </th>
            <th scope="col" className="number">
              p99
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, p50, p95, p99 }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td className="number">{p50.toFixed(0)}</td>
              <td className="number">{p95.toFixed(0)}</td>
              <td className="number">{p99.toFixed(0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
