import type { ErrorCode } from '../../../shared/errors/codes.ts';
import type { Enforcement } from '../../../shared/lease/lease-token.ts';
import type { Machine } from './harness/machine.ts';
import type { Site } from './harness/site.ts';

/** What happens next, and what is seen of the tenant then, by how its leases are kept. */
interface OfflineStep {
  /** Reads as: when … */
  readonly when: string;
  /** It opens, or the code of why not. */
  readonly seen: Readonly<Partial<Record<Enforcement, 'open' | ErrorCode>>>;
  /** What `securegate lease show` has to say about it. */
  readonly told?: Readonly<Partial<Record<Enforcement, string>>>;
  happen(machine: Machine, site: Site): Promise<void>;
}

/** Something that befalls a box without its cloud. It begins with a tenant that is open under a new lease of a day. */
export interface OfflineCase {
  readonly name: string;
  /** Levels of enforcement at which it belongs to the short drill. */
  readonly quick: readonly Enforcement[];
  readonly steps: readonly OfflineStep[];
}
