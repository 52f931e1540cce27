import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import type { AccessUnit, VideoStream } from './annex-b.ts';
import { describeStream, MJPEG_DESCRIPTION, RTP_CLOCK, RtpPacketizer } from './rtp-packetizer.ts';
import { type RtspRequest, RtspRequestReader } from './rtsp-request-reader.ts';

/** What is wrong with a camera's stream. */
export interface Damage {
  /** Share of the RTP packets that never arrive. */
  readonly lost?: number;
  /** Every picture but those that stand alone ends in the middle. */
  readonly truncated?: boolean;
  /** Tells new clients that it sends Motion JPEG. */
  readonly mjpeg?: boolean;
}

/** What all clients of a camera see; may change while they watch. */
export interface Source {
  stream: VideoStream;
  damage: Damage;
}

export interface SessionOptions {
  readonly source: Source;
  readonly fps: number;
  /** `once`: says BYE and closes after the last picture. `loop`: begins again, with times that go on. */
  readonly end: 'once' | 'loop';
  readonly onEnd: () => void;
  readonly credentials: { readonly user: string; readonly password: string } | undefined;
}

/** A client that reads this little is not kept: a camera has no memory for it. */
const MAX_UNSENT = 8 * 1024 * 1024;

/** One client of the test camera: answers its requests and plays the stream to it in real time, from the first picture. */
export class RtspSession {
  readonly #socket: Socket;
  readonly #options: SessionOptions;
  readonly #reader = new RtspRequestReader();
  readonly #id = randomBytes(8).toString('hex');
  readonly #firstTimestamp = randomBytes(4).readUInt32BE();
  #packetizer: RtpPacketizer | undefined;
  #timer: NodeJS.Timeout | undefined;
  #playing = false;
  #stalled = false;
  #picture = 0;
  /** Monotonic time at which picture 0 would have been due, milliseconds. */
  #epoch = 0;

  constructor(socket: Socket, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  start(stalled: boolean): void {
    this.#stalled = stalled;
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk) => this.#onData(chunk));
    this.#socket.on('close', () => clearTimeout(this.#timer));
  }

  /** From now on this client gets neither pictures nor answers, on a connection that stays open. */
  stall(): void {
    this.#stalled = true;
    clearTimeout(this.#timer);
  }

  /** Goes on with the picture after the last one that was sent. */
  resume(): void {
    this.#stalled = false;
    if (this.#playing) this.#play();
  }

  #onData(chunk: Buffer): void {
    if (this.#stalled) return;
    try {
      for (const request of this.#reader.push(chunk)) this.#answer(request);
    } catch {
      // Whatever speaks here is no RTSP client.
      this.#socket.destroy();
    }
  }

  #answer(request: RtspRequest): void {
    if (request.method !== 'OPTIONS' && !this.#authorised(request)) {
      this.#reply(request, '401 Unauthorized', { 'WWW-Authenticate': 'Basic realm="camera"' });
      return;
    }
    switch (request.method) {
      case 'OPTIONS':
        this.#reply(request, '200 OK', { Public: 'OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN' });
        return;
      case 'DESCRIBE':
        this.#reply(
          request,
          '200 OK',
          { 'Content-Base': `${request.url.replace(/\/$/, '')}/`, 'Content-Type': 'application/sdp' },
          this.#description,
        );
        return;
      case 'SETUP':
        this.#setUp(request);
        return;
      case 'PLAY':
        this.#beginToPlay(request);
        return;
      case 'GET_PARAMETER':
        this.#reply(request, '200 OK', { Session: this.#id });
        return;
      case 'TEARDOWN':
        this.#reply(request, '200 OK', { Session: this.#id });
        this.#socket.end();
        return;
      default:
        this.#reply(request, '501 Not Implemented');
    }
  }

  get #description(): string {
    const { source, fps } = this.#options;
    return source.damage.mjpeg ? MJPEG_DESCRIPTION : describeStream(source.stream, fps);
  }

  #reply(request: RtspRequest, status: string, headers: Record<string, string> = {}, body = ''): void {
    const lines = [`RTSP/1.0 ${status}`, `CSeq: ${request.headers.get('cseq') ?? '0'}`];
    for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
    if (body !== '') lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
    this.#socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
  }

  #setUp(request: RtspRequest): void {
    const channel = /RTP\/AVP\/TCP\b.*\binterleaved=(\d+)-\d+/.exec(request.headers.get('transport') ?? '')?.[1];
    if (channel === undefined) {
      this.#reply(request, '461 Unsupported Transport');
      return;
    }
    this.#packetizer = new RtpPacketizer({
      codec: this.#options.source.stream.codec,
      ssrc: randomBytes(4).readUInt32BE(),
      sequence: randomBytes(2).readUInt16BE(),
      channel: Number(channel),
    });
    const transport = `RTP/AVP/TCP;unicast;interleaved=${channel}-${Number(channel) + 1}`;
    this.#reply(request, '200 OK', { Transport: transport, Session: `${this.#id};timeout=60` });
  }

  #beginToPlay(request: RtspRequest): void {
    if (this.#packetizer === undefined || this.#playing) {
      this.#reply(request, '455 Method Not Valid in This State');
      return;
    }
    const info = `url=${request.url};seq=${this.#packetizer.sequence};rtptime=${this.#firstTimestamp}`;
    this.#reply(request, '200 OK', { Session: this.#id, Range: 'npt=0.000-', 'RTP-Info': info });
    this.#playing = true;
    this.#play();
  }

  #authorised(request: RtspRequest): boolean {
    const { credentials } = this.#options;
    if (credentials === undefined) return true;
    const expected = `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')}`;
    const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
    return timingSafeEqual(digest(request.headers.get('authorization') ?? ''), digest(expected));
  }

  #play(): void {
    this.#epoch = performance.now() - this.#dueMs(this.#picture);
    this.#sendDue();
  }

  /** Sends every picture that is due and sleeps until the next one is. */
  #sendDue(): void {
    const { source, end, fps } = this.#options;
    const { stream } = source;
    const elapsed = performance.now() - this.#epoch;
    while (this.#dueMs(this.#picture) <= elapsed) {
      const picture = stream.pictures[this.#picture % stream.pictures.length];
      if (picture === undefined || this.#packetizer === undefined) return;
      const timestamp = this.#firstTimestamp + Math.round((this.#picture * RTP_CLOCK) / fps);
      this.#socket.write(this.#packetizer.pack(this.#nalsOf(picture), timestamp % 2 ** 32, () => this.#isLost()));
      this.#picture += 1;
      if (end === 'once' && this.#picture === stream.pictures.length) {
        this.#socket.end(this.#packetizer.bye());
        this.#options.onEnd();
        return;
      }
    }
    if (this.#socket.writableLength > MAX_UNSENT) {
      this.#socket.destroy();
      return;
    }
    this.#timer = setTimeout(() => this.#sendDue(), this.#dueMs(this.#picture) - elapsed);
  }

  #nalsOf({ nals, keyframe }: AccessUnit): readonly Buffer[] {
    if (!this.#options.source.damage.truncated || keyframe) return nals;
    return nals.map((nal) => nal.subarray(0, Math.ceil(nal.length / 2)));
  }

  #isLost(): boolean {
    return Math.random() < (this.#options.source.damage.lost ?? 0);
  }

  #dueMs(picture: number): number {
    return (picture * 1000) / this.#options.fps;
  }
}
