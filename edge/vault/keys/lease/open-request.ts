import type { OneUseKey } from './one-use-key.ts';

/** A request that waits for its answer. */
export interface OpenRequest {
  readonly epoch: number;
  readonly nonce: string;
  readonly oneUse: OneUseKey;
  /** Trusted time at which it was made, milliseconds. */
  readonly madeAt: number;
  readonly onStick: boolean;
}
