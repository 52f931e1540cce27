import type { Writable } from 'node:stream';
import { serialize } from 'node:v8';

/** A message is preceded by its length, big-endian. */
export const LENGTH_BYTES = 4;

/**
 * Sends a message from daemon to vault or back: anything that the structured clone algorithm takes. Its bytes are overwritten once they are sent.
 * @param done called with what went wrong, if anything
 */
export function sendMessage(channel: Writable, message: unknown, done: (error?: Error | null) => void): void {
  const content = serialize(message);
  const frame = Buffer.alloc(LENGTH_BYTES + content.length);
  frame.writeUInt32BE(content.length);
  frame.set(content, LENGTH_BYTES);
  content.fill(0);
  channel.write(frame, (error) => {
    frame.fill(0);
    done(error);
  });
}
