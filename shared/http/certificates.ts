import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:https';
import { isIP } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import { SecureGateError } from '../errors/securegate-error.ts';
import type { Logger } from '../log/create-logger.ts';
import type { TlsConfig } from './listen-config.ts';

const LOOK_EVERY_MS = 2000;
const OLDEST_TLS = 'TLSv1.2';

interface Entry {
  readonly cert: string;
  readonly key: string;
  /** SHA-256 of what the files held when they were read last, usable or not. */
  seen: string;
  /** Why they could not be read or used last time. */
  failure: string;
  context: SecureContext | undefined;
}

/**
 * The certificates of a server, each for the names that clients ask for (SNI, RFC 6066). Files are looked at for what they hold:
 * whatever way they are replaced, the new certificate is shown soon after, and a half-written one never.
 */
export class Certificates {
  readonly #byDefault: Entry;
  readonly #byName = new Map<string, Entry>();
  readonly #logger: Logger;
  #server: Server | undefined;
  #leaf: X509Certificate | undefined;
  #looking: Promise<void> | undefined;

  constructor({ certificates = [], ...byDefault }: TlsConfig, logger: Logger) {
    this.#byDefault = entryOf(byDefault);
    for (const { hostnames, ...files } of certificates) {
      const entry = entryOf(files);
      for (const name of hostnames) this.#byName.set(name, entry);
    }
    this.#logger = logger;
  }

  /**
   * Has the server show them until it is closed.
   * @throws {SecureGateError} `config_invalid` when one of them cannot be used
   */
  serve(server: Server): void {
    this.#server = server;
    for (const entry of this.#entries()) {
      const { cert, key } = entry;
      try {
        this.#use(entry, readFileSync(cert), readFileSync(key));
      } catch (cause) {
        throw new SecureGateError('config_invalid', 'A certificate of the API cannot be read, or its key belongs to another one', {
          cause,
          details: { cert, key },
        });
      }
    }
    const timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
    server.once('close', () => clearInterval(timer));
  }

  /** Takes the files that have changed. Where they cannot be used, the certificate before them stays. */
  look(): Promise<void> {
    // On a disk that hangs, looks do not pile up.
    this.#looking ??= this.#lookNow().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** For the name that a client asks for; undefined where it gets the default. */
  contextFor(servername: string): SecureContext | undefined {
    const name = servername.toLowerCase();
    return (this.#byName.get(name) ?? this.#byName.get(name.replace(/^[^.]*/, '*')))?.context;
  }

  /** Whether the default certificate is for this name or address, other than by a wildcard. */
  isForHost(host: string): boolean {
    const found = isIP(host) === 0 ? this.#leaf?.checkHost(host, { wildcards: false }) : this.#leaf?.checkIP(host);
    return found !== undefined;
  }

  async #lookNow(): Promise<void> {
    for (const entry of this.#entries()) {
      const { cert, key } = entry;
      try {
        const changed = this.#use(entry, await readFile(cert), await readFile(key));
        if (changed) this.#logger.info({ cert }, 'another certificate is shown');
        entry.failure = '';
      } catch (error) {
        const failure = String(error);
        if (failure !== entry.failure) {
          const err = new SecureGateError('config_invalid', 'A certificate has changed and cannot be used', { cause: error });
          this.#logger.warn({ err, cert, key }, 'the certificate before it is shown on');
        }
        entry.failure = failure;
      }
    }
  }

  /** @returns whether it is another one than before */
  #use(entry: Entry, cert: Buffer, key: Buffer): boolean {
    try {
      const seen = createHash('sha256').update(cert).update(key).digest('hex');
      if (entry.seen === seen) return false;
      entry.seen = seen;
      const pair = { cert, key, minVersion: OLDEST_TLS } as const;
      entry.context = createSecureContext(pair);
      if (entry === this.#byDefault) {
        this.#leaf = new X509Certificate(cert);
        this.#server?.setSecureContext(pair);
      }
      return true;
    } finally {
      key.fill(0);
    }
  }

  #entries(): Set<Entry> {
    return new Set([this.#byDefault, ...this.#byName.values()]);
  }
}

function entryOf({ cert, key }: { readonly cert: string; readonly key: string }): Entry {
  return { cert, key, seen: '', failure: '', context: undefined };
}
