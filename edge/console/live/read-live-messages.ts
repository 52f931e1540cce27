import type { LiveHeader, LiveMessage } from './live-message.ts';

const MAX_HEADER_BYTES = 1024 * 1024;
const MAX_JPEG_BYTES = 32 * 1024 * 1024;

/**
 * Cuts a live stream into its messages: `u32be header length | JSON header | JPEG`, however the network cut it. Those without
 * a header just show that the stream lives, and are left out.
 * @throws {RangeError} a length that no message has: the stream is not one, or is out of step
 */
export async function* readLiveMessages(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<LiveMessage, void> {
  const buffer = new ChunkBuffer();
  let headerBytes: number | undefined;
  let header: LiveHeader | undefined;
  for await (const chunk of chunks) {
    buffer.push(chunk);
    for (;;) {
      if (headerBytes === undefined) {
        const prefix = buffer.take(4);
        if (prefix === undefined) break;
        headerBytes = new DataView(prefix.buffer).getUint32(0);
        if (headerBytes > MAX_HEADER_BYTES) throw new RangeError(`A live message states a header of ${headerBytes} bytes`);
      }
      if (headerBytes === 0) {
        headerBytes = undefined;
        continue;
      }
      if (header === undefined) {
        const json = buffer.take(headerBytes);
        if (json === undefined) break;
        header = JSON.parse(new TextDecoder().decode(json)) as LiveHeader;
        if (!(header.jpegBytes >= 0 && header.jpegBytes <= MAX_JPEG_BYTES)) {
          throw new RangeError(`A live message states a picture of ${header.jpegBytes} bytes`);
        }
      }
      const jpeg = buffer.take(header.jpegBytes);
      if (jpeg === undefined) break;
      yield { header, jpeg };
      headerBytes = undefined;
      header = undefined;
    }
  }
}

/** Bytes that have come and are not used yet. Each byte is copied once. */
class ChunkBuffer {
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** @returns undefined where there are not so many bytes yet */
  take(count: number): Uint8Array<ArrayBuffer> | undefined {
    if (count > this.#length) return undefined;
    const taken = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      const first = this.#chunks[0];
      if (first === undefined) throw new RangeError('Fewer bytes than counted');
      const part = first.subarray(0, count - filled);
      taken.set(part, filled);
      filled += part.length;
      if (part.length === first.length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(part.length);
    }
    this.#length -= count;
    return taken;
  }
}
