import { Socket } from 'node:net';
import { MessageReader, type Received } from './message-reader.ts';

/** Descriptor of the socket to the daemon, with which a vault's process is started. */
export const CHANNEL_FD = 3;

const READ_BYTES = 64 * 1024;

/**
 * The vault's end of the socket between the two. Node's own channel between processes leaves what it reads in a buffer that
 * nobody can reach, until a longer message comes: faces of people who were erased since. This one reads into memory of its own and overwrites it.
 * @param onEnd called when the daemon is gone, or is not understood
 */
export function openChannel(onMessage: (received: Received) => void, onEnd: () => void): Socket {
  const reader = new MessageReader(onMessage);
  const channel = new Socket({
    fd: CHANNEL_FD,
    readable: true,
    writable: true,
    onread: {
      buffer: Buffer.alloc(READ_BYTES),
      callback: (size, buffer) => {
        const piece = Buffer.from(buffer.buffer, buffer.byteOffset, size);
        try {
          reader.take(piece);
        } catch {
          onEnd();
        } finally {
          piece.fill(0);
        }
        return true;
      },
    },
  });
  // A failed write is told to who wrote; whatever went wrong, the socket closes.
  channel.on('error', () => undefined);
  channel.on('close', onEnd);
  return channel;
}
