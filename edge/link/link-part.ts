import type { Reply } from '../../shared/fleet/reply.ts';

/** A part of the box that speaks with the control plane: what it hears over the link. */
export interface LinkPart {
  start?(): void;
  stop?(): void | Promise<void>;
  /** The box is connected, anew: what waited can be said. */
  readonly onConnect?: () => void;
  readonly onCommand?: (payload: Buffer) => Promise<void>;
  readonly onDesired?: (payload: Buffer) => Promise<void>;
  readonly onReply?: { readonly [Kind in Reply['kind']]?: (reply: Extract<Reply, { kind: Kind }>) => void };
}
