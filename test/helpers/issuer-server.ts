import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { TestIssuer } from './cloud.ts';

/** Serves the keys of issuers on this machine, as an identity provider does; it ends with the test. */
export class IssuerServer {
  /** How often it was asked. */
  asked = 0;
  answer: RequestListener = (_request, response) => response.writeHead(503).end();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.asked += 1;
      this.answer(request, response);
    });
  }

  static async start(...issuers: TestIssuer[]): Promise<IssuerServer> {
    const server = new IssuerServer();
    await server.serve(...issuers);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    onTestFinished(() => server.stop());
    return server;
  }

  /** Has it serve the keys of these alone. */
  async serve(...issuers: TestIssuer[]): Promise<void> {
    const sets = await Promise.all(issuers.map(async (issuer) => (await issuer.jwks()).keys));
    this.answer = (_request, response) => response.end(JSON.stringify({ keys: sets.flat() }));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/jwks`;
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
