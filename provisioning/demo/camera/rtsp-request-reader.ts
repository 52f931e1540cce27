export interface RtspRequest {
  readonly method: string;
  readonly url: string;
  /** Header fields by lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
}

const MAX_REQUEST = 16_384;

/**
 * Cuts what a client sends on its connection into RTSP requests (RFC 2326);
 * interleaved RTCP reports of the client are skipped.
 */
export class RtspRequestReader {
  #rest: Buffer = Buffer.alloc(0);

  /** @throws {Error} where the bytes cannot be a request */
  push(chunk: Buffer): RtspRequest[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const requests: RtspRequest[] = [];
    for (;;) {
      if (this.#rest[0] === 0x24) {
        if (this.#rest.length < 4) return requests;
        const end = 4 + this.#rest.readUInt16BE(2);
        if (this.#rest.length < end) return requests;
        this.#rest = this.#rest.subarray(end);
        continue;
      }
      const headEnd = this.#rest.indexOf('\r\n\r\n');
      if (headEnd === -1) {
        if (this.#rest.length > MAX_REQUEST) throw new Error('RTSP request is too long');
        return requests;
      }
      const request = parseHead(this.#rest.toString('latin1', 0, headEnd));
      const bodyLength = Number(request.headers.get('content-length') ?? 0);
      if (!(bodyLength >= 0 && bodyLength <= MAX_REQUEST)) throw new Error('RTSP body is too long');
      const end = headEnd + 4 + bodyLength;
      if (this.#rest.length < end) return requests;
      this.#rest = this.#rest.subarray(end);
      requests.push(request);
    }
  }
}

function parseHead(head: string): RtspRequest {
  const [first = '', ...lines] = head.split('\r\n');
  const match = /^([A-Z_]+) (\S+) RTSP\/1\.0$/.exec(first);
  if (match === null) throw new Error('Not an RTSP request');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return { method: match[1] ?? '', url: match[2] ?? '', headers };
}
