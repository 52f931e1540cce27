import { deserialize } from 'node:v8';
import { LENGTH_BYTES } from './send-message.ts';

/** Far more than 32 faces with their pictures, or a page of the longest records. */
const LONGEST_BYTES = 64 * 1024 * 1024;

export interface Received {
  readonly message: unknown;
  /** Overwrites the message's bytes and everything binary in it; texts are the engine's. */
  readonly wipe: () => void;
}

/** Puts messages together that come in pieces. Pieces are copied: whoever read them overwrites them. */
export class MessageReader {
  readonly #onMessage: (received: Received) => void;
  readonly #length = Buffer.alloc(LENGTH_BYTES);
  #content: Buffer | undefined;
  /** Bytes of what is being filled: the length, then the content. */
  #filled = 0;

  constructor(onMessage: (received: Received) => void) {
    this.#onMessage = onMessage;
  }

  /** @throws {Error} for what is no message: nothing that comes after it can be understood */
  take(piece: Buffer): void {
    for (let rest = piece; rest.length > 0; ) {
      const filling = this.#content ?? this.#length;
      const copied = rest.copy(filling, this.#filled);
      rest = rest.subarray(copied);
      this.#filled += copied;
      if (this.#filled === filling.length) this.#complete();
    }
  }

  #complete(): void {
    const content = this.#content;
    this.#filled = 0;
    if (content !== undefined) {
      this.#content = undefined;
      const message: unknown = deserialize(content);
      this.#onMessage({ message, wipe: () => wipeBytes([content, message]) });
      return;
    }
    const length = this.#length.readUInt32BE();
    if (length === 0 || length > LONGEST_BYTES) throw new RangeError('Not the length of a message');
    this.#content = Buffer.alloc(length);
  }
}

function wipeBytes(value: unknown): void {
  if (ArrayBuffer.isView(value)) new Uint8Array(value.buffer, value.byteOffset, value.byteLength).fill(0);
  else if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) wipeBytes(inner);
}
