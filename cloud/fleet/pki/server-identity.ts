import { generateKeyPairSync } from 'node:crypto';
import type { Authorities } from './authorities.ts';
import type { Issued, Issuer } from './issuer.ts';

/** What a TLS server puts into its secure context. PEM. */
export interface ServerCredentials {
  readonly key: string;
  /** Its certificate, and what makes it believed by who knows the earlier authority alone. */
  readonly cert: string;
  /** Authorities of the clients' certificates. */
  readonly ca: readonly string[];
  readonly minVersion: 'TLSv1.2';
}

export interface ServerIdentityOptions {
  readonly issuer: Issuer;
  readonly authorities: Authorities;
  /** Host names and addresses by which boxes reach the server. */
  readonly names: readonly string[];
  readonly now: () => number;
}

/** Key and certificate of a server that boxes talk to. They live in memory alone, and are exchanged long before they end. */
export class ServerIdentity {
  readonly #options: ServerIdentityOptions;
  #issued: Issued | undefined;
  #renewAt = 0;

  constructor(options: ServerIdentityOptions) {
    this.#options = options;
  }

  /** @returns new credentials where there are none, two thirds of their life are over, or another authority issues by now */
  async renewed(): Promise<ServerCredentials | undefined> {
    const { issuer, authorities, names, now } = this.#options;
    const present = await authorities.present();
    if (this.#issued?.authority.generation === present.generation && now() < this.#renewAt) return undefined;
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const issued = await issuer.issueToServer(names, publicKey.export({ type: 'spki', format: 'der' }));
    this.#issued = issued;
    this.#renewAt = now() + ((issued.notAfter - now()) * 2) / 3;
    return {
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      cert: `${issued.certificate}${issued.authority.crossed}`,
      ca: (await authorities.trusted()).map(({ certificate }) => certificate),
      minVersion: 'TLSv1.2',
    };
  }
}
