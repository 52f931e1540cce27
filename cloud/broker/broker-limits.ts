import type { UpChannel } from '../../shared/fleet/topics.ts';
import type { Rate } from './pace.ts';

/** What one peer may ask of the broker, so that none can keep it from the others. */
export interface BrokerLimits {
  /** Open connections of one network: all boxes of a venue share an address. */
  readonly connectionsEach: number;
  /** New connections a minute of one network, handshakes that fail among them. */
  readonly connectsAMinute: number;
  readonly connections: number;
}

export const BROKER_LIMITS: BrokerLimits = { connectionsEach: 64, connectsAMinute: 120, connections: 20_000 };

/** For the TLS handshake, and again for the first packet. */
export const CONNECT_MS = 10_000;
/** A client that does not take what it is sent is cut off. */
export const DRAIN_MS = 10_000;
export const LONGEST_KEEPALIVE_S = 300;
/** Packets that wait while a client is being let in. */
export const MOST_EARLY_PACKETS = 16;
/** Messages of QoS 2 that a client has not released. */
export const MOST_INFLIGHT = 20;
/** Messages of one device. */
export const MESSAGES: Rate = { perSecond: 200, atOnce: 400 };
/** Messages that wait for a control plane that is away. */
export const MOST_WAITING = 10_000;

const KIB = 1024;
/** Bytes of a message. */
export const MOST_BYTES: Readonly<Record<UpChannel, number>> = {
  hello: 64 * KIB,
  acks: 64 * KIB,
  reported: 256 * KIB,
  sightings: 256 * KIB,
  usage: 64 * KIB,
  telemetry: 64 * KIB,
  requests: 64 * KIB,
};
/** Bytes of a packet, whose topic has at most 64 KiB; a client that announces more is cut off before it sends them. */
export const MOST_PACKET_BYTES = Math.max(...Object.values(MOST_BYTES)) + 64 * KIB;
/** Bytes of the packets of a client that is not let in yet. */
export const MOST_FIRST_BYTES = 4 * KIB;
