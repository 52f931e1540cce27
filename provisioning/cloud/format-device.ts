import type { components } from '../../shared/cloud-client/paths.ts';

/** Who a box is, for whoever compares its keys before they are trusted. */
export function formatDevice({ id, name, state, fingerprint, wrap, certificateEnds }: components['schemas']['Device']): string {
  return `Box:          ${id} (${name})
State:        ${state}
Keys:         ${fingerprint}
Wrap key:     ${wrap}
Certificate:  ${certificateEnds === null ? 'none' : `until ${certificateEnds}`}`;
}
