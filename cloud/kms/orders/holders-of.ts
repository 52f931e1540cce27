import { decodeJwt } from 'jose';
import { assignmentClaimsSchema } from '../../../shared/lease/assignment.ts';
import type { Enforcement } from '../../../shared/lease/lease-token.ts';

/** An assignment that was verified when it was taken, and when it ended (milliseconds since the Unix epoch; null: it has not). */
interface Taken {
  readonly device: string;
  readonly token: string;
  readonly ended_at: number | null;
}

/** A box that may have a key of a tenant. */
interface Holder {
  readonly device: string;
  readonly enforcement: Enforcement;
  readonly leaseEndsAt: number;
}

/** From the strictest to that which promises nothing. */
const STRICTNESS = ['memory', 'tpm', 'software'] as const satisfies readonly Enforcement[];

/**
 * Every box that was ever assigned, and when the last lease ends that it can have been given.
 * @param before no lease was given later, milliseconds since the Unix epoch
 */
export function holdersOf(assignments: readonly Taken[], before: number): Holder[] {
  const holders = new Map<string, Holder>();
  for (const { device, token, ended_at } of assignments) {
    const { lease, exp } = assignmentClaimsSchema.parse(decodeJwt(token));
    const leaseEndsAt = Math.min(Math.min(before, ended_at ?? before) + lease.seconds * 1000, exp * 1000);
    const other = holders.get(device) ?? { device, enforcement: 'memory', leaseEndsAt: 0 };
    holders.set(device, {
      device,
      enforcement: STRICTNESS[Math.max(...[lease, other].map(({ enforcement }) => STRICTNESS.indexOf(enforcement)))] ?? 'software',
      leaseEndsAt: Math.max(leaseEndsAt, other.leaseEndsAt),
    });
  }
  return [...holders.values()];
}
