import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { parseAnnexB } from './annex-b.ts';
import { type Damage, RtspSession, type SessionOptions, type Source } from './rtsp-session.ts';

export interface RtspCameraOptions {
  /** H.264 or H.265 byte stream (Annex B) that begins with its parameter sets; no B-frames. */
  readonly video: Buffer;
  /** Pictures a second. */
  readonly fps: number;
  /** `once`: the stream ends with an RTCP BYE after its last picture. `loop`: it begins again. */
  readonly end: 'once' | 'loop';
  /** Any free one unless given. */
  readonly port?: number;
  readonly credentials?: { readonly user: string; readonly password: string };
  /** Called each time that a client was sent the last picture of a stream that ends. */
  readonly onEnd?: () => void;
}

/**
 * A test camera: an RTSP server (RFC 2326, TCP-interleaved) on a free port of the loopback interface that plays
 * the same video to every client, in real time from the first picture, and that can be made to fail.
 */
export class RtspCamera {
  readonly #options: RtspCameraOptions;
  readonly #sessions = new Map<Socket, RtspSession>();
  #server: Server | undefined;
  #source: Source | undefined;
  #stalled = false;
  #refusing = false;

  constructor(options: RtspCameraOptions) {
    this.#options = options;
  }

  /** Address of the stream, without credentials. */
  get url(): string {
    const address = this.#server?.address();
    if (address === undefined || address === null || typeof address === 'string') throw new Error('The camera is not started');
    return `rtsp://127.0.0.1:${address.port}/stream`;
  }

  /** Clients that are connected now. */
  get clients(): number {
    return this.#sessions.size;
  }

  /** @throws {Error} where the video is no H.264 or H.265 byte stream, or no port can be had */
  async start(): Promise<void> {
    const source: Source = { stream: parseAnnexB(this.#options.video), damage: {} };
    this.#source = source;
    const session: SessionOptions = {
      source,
      fps: this.#options.fps,
      end: this.#options.end,
      credentials: this.#options.credentials,
      onEnd: () => this.#options.onEnd?.(),
    };
    this.#server = createServer((socket) => this.#accept(socket, session));
    this.#server.listen(this.#options.port ?? 0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Falls silent: connections stay open and new ones are accepted, but nothing is sent on any of them. */
  stall(): void {
    this.#stalled = true;
    for (const session of this.#sessions.values()) session.stall();
  }

  /** Ends {@link stall}: every stream goes on with the picture after its last one. */
  resume(): void {
    this.#stalled = false;
    for (const session of this.#sessions.values()) session.resume();
  }

  /** Forgets its clients, as after a power cut: their connections stay open and silent for ever, new ones are served. */
  forgetClients(): void {
    for (const session of this.#sessions.values()) session.stall();
  }

  /** Plays another video from now on, also to those who watch: of another codec it is told to new clients alone. @throws {Error} where it is no H.264 or H.265 byte stream */
  show(video: Buffer): void {
    this.#playing.stream = parseAnnexB(video);
  }

  /** Damages the stream from now on, also of those who watch; `{}` mends it. */
  damage(damage: Damage): void {
    this.#playing.damage = damage;
  }

  /** Cuts every connection at once, without a goodbye. */
  dropConnections(): void {
    for (const socket of this.#sessions.keys()) socket.resetAndDestroy();
  }

  /** Resets every new connection until {@link accept}. */
  refuse(): void {
    this.#refusing = true;
  }

  accept(): void {
    this.#refusing = false;
  }

  /** Stops listening and cuts every connection. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    this.dropConnections();
    await closed;
  }

  get #playing(): Source {
    if (this.#source === undefined) throw new Error('The camera is not started');
    return this.#source;
  }

  #accept(socket: Socket, options: SessionOptions): void {
    // A client that goes away in mid-stream is a camera's everyday life; `close` follows.
    socket.on('error', () => socket.destroy());
    if (this.#refusing) {
      socket.resetAndDestroy();
      return;
    }
    const session = new RtspSession(socket, options);
    this.#sessions.set(socket, session);
    socket.on('close', () => this.#sessions.delete(socket));
    session.start(this.#stalled);
  }
}
