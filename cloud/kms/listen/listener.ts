import type { Socket } from 'node:net';

/** A door of the KMS. Whoever comes through it may ask for anything: the door decides who does. */
export interface Listener {
  start(take: (socket: Socket) => void): Promise<void>;
  /** Takes nobody any more. Resolves when those who were taken have gone. */
  stop(): Promise<void>;
}
