import type { components } from '../../shared/cloud-client/paths.ts';
import { formatTable } from './format-table.ts';

/** The keys of a tenant for people: an epoch a line, and below, the boxes that have not moved away from an older one. */
export function formatKeys({ hsm, epochs, newest }: components['schemas']['TenantKeys']): string {
  const rows = epochs.map(({ epoch, state, destroyedAt, move }) => {
    const moved = move === null ? '' : `${move.boxes.filter((box) => box.state === 'moved').length} of ${move.boxes.length} boxes moved`;
    return [String(epoch), epoch === newest ? 'newest' : state, destroyedAt ?? moved, move === null ? '' : `until ${move.deadline}`];
  });
  const behind = epochs.flatMap(({ epoch, move }) =>
    (move?.boxes ?? []).filter(({ state }) => state !== 'moved').map(({ device, state }) => `${device}  ${state} in epoch ${epoch}`),
  );
  return [`keys are in: ${hsm}`, formatTable(['epoch', 'state', 'what', 'when'], rows), ...behind].join('\n');
}
