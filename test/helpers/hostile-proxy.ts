import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** What it does to what passes, in both directions. */
export interface Fault {
  /** Ends a connection, without a word, after about so many bytes: in the midst of whatever they are. */
  readonly cutAfterBytes?: number;
  /** Ends one direction after about so many bytes: the other side hears that nothing more comes, and can still be heard. */
  readonly halfCloseAfterBytes?: number;
  /** Swallows what comes after about so many bytes, and keeps the connection. */
  readonly swallowAfterBytes?: number;
  /** Holds everything back, for up to so long. */
  readonly delayMs?: number;
  /** Hands on so many bytes at a time, in pieces that nobody chose. */
  readonly pieceBytes?: number;
}

/** Hands TCP connections on to a server of this machine, as a bad network does. */
export class HostileProxy {
  /** What is done to connections; none: nothing. */
  fault: Fault = {};
  /** Connections so far. */
  connections = 0;
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));

  private constructor(port: number) {
    this.#port = port;
  }

  /** @param port of the server */
  static async start(port: number, fault: Fault = {}): Promise<HostileProxy> {
    const proxy = new HostileProxy(port);
    proxy.fault = fault;
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    onTestFinished(() => {
      proxy.#server.close();
      proxy.cut();
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Does no harm from now on, to new connections; the present ones end. */
  heal(): void {
    this.fault = {};
    this.cut();
  }

  #accept(client: Socket): void {
    this.connections += 1;
    const server = connect({ port: this.#port, host: '127.0.0.1', allowHalfOpen: true });
    const both = [client, server] as const;
    for (const socket of both) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        for (const one of both) one.destroy();
      });
    }
    const passed = { bytes: 0 };
    void this.#hand(client, server, passed).catch(() => undefined);
    void this.#hand(server, client, passed).catch(() => undefined);
  }

  async #hand(from: Socket, to: Socket, passed: { bytes: number }): Promise<void> {
    const { cutAfterBytes, halfCloseAfterBytes, swallowAfterBytes, delayMs = 0, pieceBytes = Number.POSITIVE_INFINITY } = this.fault;
    const about = (bytes = Number.POSITIVE_INFINITY): number => bytes * (0.5 + Math.random());
    const [cutAt, halfCloseAt, swallowAt] = [about(cutAfterBytes), about(halfCloseAfterBytes), about(swallowAfterBytes)];
    for await (const chunk of from as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; at += pieceBytes) {
        const piece = chunk.subarray(at, Math.min(at + pieceBytes, chunk.length));
        passed.bytes += piece.length;
        if (delayMs > 0) await pause(Math.random() * delayMs);
        if (passed.bytes > cutAt) from.resetAndDestroy();
        if (passed.bytes > halfCloseAt) to.end();
        if (passed.bytes <= swallowAt && to.writable && !to.write(piece)) await once(to, 'drain');
      }
    }
    to.end();
  }
}
