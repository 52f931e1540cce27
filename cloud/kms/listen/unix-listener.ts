import { chmodSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Listener } from './listener.ts';

/** A Unix socket, for those whom its folder lets in. */
export class UnixListener implements Listener {
  readonly #path: string;
  #server: Server | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws {SecureGateError} `storage_failed` when the folder is open to everybody or cannot hold a socket */
  async start(take: (socket: Socket) => void): Promise<void> {
    const folder = dirname(this.#path);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if ((statSync(folder).mode & 0o007) !== 0) {
      throw new SecureGateError('storage_failed', 'Everybody may enter the folder of the socket: chmod o= it', { details: { folder } });
    }
    // Who holds the records (`kms.db`) is the only KMS here: a socket that is there was left by one that was killed.
    rmSync(this.#path, { force: true });
    const server = createServer(take);
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(new SecureGateError('storage_failed', 'The socket cannot be made', { cause })));
      server.listen(this.#path, resolve);
    });
    // Whom the folder lets in, by its group, may speak to us.
    chmodSync(this.#path, 0o660);
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
