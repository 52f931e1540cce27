import type { System } from '../api/types.ts';
import { StateDot } from '../parts/state-dot.tsx';
import { leaseWords } from '../words/lease-words.ts';
import { vaultState } from '../words/vault-state.ts';

type Vault = System['stats']['vaults'][number];

/** Each venue's vault: its own process, files and keys. */
export function VaultsCard({ vaults }: { readonly vaults: readonly Vault[] }) {
  return (
    <section className="panel card" aria-label="Vaults">
      <h2>Vaults</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Venue</th>
            <th scope="col">State</th>
            <th scope="col" className="number">
              Faces
            </th>
            <th scope="col" className="number">
              Restarts
            </th>
          </tr>
        </thead>
        <tbody>
          {vaults.map(({ tenant, state, lease, faces, restarts }) => (
            <tr key={tenant}>
              <th scope="row">{tenant}</th>
              <td>
                <StateDot tone={vaultState(state).tone}>{vaultState(state).word}</StateDot>
                {lease && <span className="quiet below">{leaseWords(lease)}</span>}
              </td>
              <td className="number">{faces}</td>
              <td className={restarts > 0 ? 'number warn' : 'number'}>{restarts}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
