import type { Duplex } from 'node:stream';

/** MQTT 3.1.1, 2.2.3: seven bits of the length a byte, four bytes at most. */
const MOST_LENGTH_BYTES = 4;
const MORE = 0x80;

/**
 * Cuts a client off that announces a packet of more than `most()` bytes: the parser would first gather them in memory. It looks at what
 * somebody else reads from the stream, who has to have begun with that.
 */
export function limitPackets(stream: Duplex, most: () => number): void {
  /** Bytes of the present packet that are still to come; none: its header comes next. */
  let left = 0;
  /** Of the header so far: its type's byte, and those of the length. */
  let headerBytes = 0;
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; ) {
      if (left > 0) {
        const passed = Math.min(left, chunk.length - at);
        left -= passed;
        at += passed;
        continue;
      }
      const byte = chunk[at] ?? 0;
      at += 1;
      headerBytes += 1;
      if (headerBytes === 1) continue;
      length += (byte & (MORE - 1)) * 2 ** (7 * (headerBytes - 2));
      const ends = (byte & MORE) === 0;
      if (length > most() || (!ends && headerBytes > MOST_LENGTH_BYTES)) {
        stream.destroy(new Error('packet too large'));
        return;
      }
      if (!ends) continue;
      left = length;
      headerBytes = 0;
      length = 0;
    }
  });
}
