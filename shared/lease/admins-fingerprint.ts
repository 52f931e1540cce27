import { createHash } from 'node:crypto';
import type { AdminSet, Quorum } from './admin-set.ts';

/** A set of admin keys in one short text, which two people can compare by telephone: what a box has pinned, and what the org's admin has. */
export function adminsFingerprint({ org, version, admins, recovery }: AdminSet): string {
  const hash = createHash('sha256')
    .update([org, version, textOf(admins), textOf(recovery)].join('|'))
    .digest('hex');
  return (hash.slice(0, 32).match(/.{4}/g) ?? []).join('-');
}

function textOf({ keys, quorum }: Quorum): string {
  return [quorum, ...keys.map(({ x, y }) => `${x}.${y}`)].join(' ');
}
