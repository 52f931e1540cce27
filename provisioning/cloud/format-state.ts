import type { components } from '../../shared/cloud-client/paths.ts';
import { formatTable } from './format-table.ts';

/** What a box should have and says that it has, for a person. */
export function formatState({ desired, problem, reported }: components['schemas']['BoxState']): string {
  if (reported === null) return 'The box has not been connected yet.';
  const { version, tenants, cameras } = reported.state;
  const isThere = desired !== null && version?.id === desired.version.id;
  const standing = isThere ? 'It has taken what it should have.' : 'It has not taken yet what it should have.';
  const rows = [
    ...tenants.map(({ id, state, reason }) => [id, '', state, reason ?? '']),
    ...cameras.map(({ tenant, id, state, reason }) => [tenant, id, state, reason ?? '']),
  ];
  return [
    `${standing} It last said so at ${reported.at}.`,
    ...(problem === null ? [] : [`It is not told what it should have: ${problem}`]),
    formatTable(['tenant', 'camera', 'state', 'reason'], rows),
  ].join('\n');
}
