import type { DownChannel, UpChannel } from '../../shared/fleet/topics.ts';

/** The box's side of the control plane's courier: carries messages at most once each, in no promised order. */
export interface Uplink {
  /** Resolves when the broker has it (QoS 1). */
  publish(channel: UpChannel, payload: Buffer): Promise<void>;
  /** Asks for a reply, at most once: on the way nobody keeps what is asked (QoS 0). @throws {SecureGateError} `broker_unavailable` */
  ask(payload: Buffer): Promise<void>;
  /** The handler's promise is awaited before the message is acknowledged to the transport. */
  onMessage(handler: (channel: DownChannel, payload: Buffer) => Promise<void>): void;
  /** Called after every connect: the box says hello. */
  onConnect(handler: () => Promise<void>): void;
}
