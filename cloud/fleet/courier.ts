import type { DownChannel, UpChannel } from '../../shared/fleet/topics.ts';

/** Carries messages to and from boxes: at most once each, in no promised order; the ledger sees to the rest. */
export interface Courier {
  /** Resolves when the transport took it; a device that is away loses it. */
  send(device: string, channel: DownChannel, payload: Buffer): Promise<void>;
  /** Answers a request of a box: on the way nobody keeps the answer (QoS 0). */
  answer(device: string, payload: Buffer): Promise<void>;
  /** What boxes say; the device is the one of the client's certificate. The handler's promise is awaited before the message is acknowledged to the transport. */
  onMessage(handler: (device: string, channel: UpChannel, payload: Buffer) => Promise<void>): void;
  /** Ends a device's connection, now (revoked). */
  kick(device: string): Promise<void>;
}
