import { generateKeyPairSync } from 'node:crypto';
import type { Authorities } from './authorities.ts';
import type { Issued } from './issuer.ts';

/** What a server or a client of the control plane puts into its secure context. PEM. */
export interface OwnCredentials {
  readonly key: string;
  /** Its certificate, and what makes it believed by who knows the earlier authority alone. */
  readonly cert: string;
  /** Authorities of the other side's certificates. */
  readonly ca: readonly string[];
  readonly minVersion: 'TLSv1.2';
}

export interface OwnIdentityOptions {
  /** @param publicKey SubjectPublicKeyInfo, DER */
  readonly issue: (publicKey: Buffer) => Promise<Issued>;
  readonly authorities: Authorities;
  readonly now: () => number;
}

/** Key and certificate by which the control plane shows who it is. They live in memory alone, and are exchanged long before they end. */
export class OwnIdentity {
  readonly #options: OwnIdentityOptions;
  #issued: Issued | undefined;
  #renewAt = 0;

  constructor(options: OwnIdentityOptions) {
    this.#options = options;
  }

  /** @returns new credentials where there are none, two thirds of their life are over, or another authority issues by now */
  async renewed(): Promise<OwnCredentials | undefined> {
    const { issue, authorities, now } = this.#options;
    const present = await authorities.present();
    if (this.#issued?.authority.generation === present.generation && now() < this.#renewAt) return undefined;
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const issued = await issue(publicKey.export({ type: 'spki', format: 'der' }));
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
