import type { components } from '../../shared/cloud-client/paths.ts';
import { ERROR_CODES, type ErrorCode } from '../../shared/errors/codes.ts';
import { formatTable } from './format-table.ts';

type Reported = NonNullable<components['schemas']['BoxState']['reported']>['state'];

/** What a box should have and says that it has, for a person. */
export function formatState({ desired, problem, reported }: components['schemas']['BoxState']): string {
  if (reported === null) return 'The box has not been connected yet.';
  const { version, tenants, cameras, modelSet, models } = reported.state;
  const isThere = desired !== null && version?.id === desired.version.id;
  const standing = isThere ? 'It has taken what it should have.' : 'It has not taken yet what it should have.';
  const rows = [
    ...tenants.map(({ id, state, reason }) => [id, '', state, reason ?? '']),
    ...cameras.map(({ tenant, id, state, reason }) => [tenant, id, state, reason ?? '']),
  ];
  return [
    `${standing} It last said so at ${reported.at}.`,
    ...(problem === null ? [] : [`It is not told what it should have: ${problem}`]),
    `Models: ${modelSet}${models === null ? '' : formatModels(desired?.state.models ?? modelSet, models)}`,
    formatTable(['tenant', 'camera', 'state', 'reason'], rows),
  ].join('\n');
}

/** How far the box is with those that it should have, and what somebody has to do. */
function formatModels(wanted: string, { state, reason }: NonNullable<Reported['models']>): string {
  const code = Object.keys(ERROR_CODES).find((known) => known === reason) as ErrorCode | undefined;
  return `, ${wanted}: ${state}${reason === null ? '' : ` [${reason}]`}${code === undefined ? '' : `. ${ERROR_CODES[code].next}`}`;
}
