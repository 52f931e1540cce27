import { createHash, createPublicKey, verify, X509Certificate } from 'node:crypto';
import type { Kysely, Selectable } from 'kysely';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
} from '../../../shared/fleet/x509.ts';
import type { KmsClient } from '../../kms/client.ts';
import type { Database } from '../../store/database.ts';
import { newSerial } from './new-serial.ts';
import { type CaUse, signWithKms } from './sign-with-kms.ts';

const DAY_MS = 86_400_000;
const LIFE_MS = 3650 * DAY_MS;
/** The next one is made while the present one still holds for so long. */
const LEAST_LEFT_MS = 730 * DAY_MS;
/** A certificate may be used by whose clock is behind. */
export const BACKDATED_MS = 300_000;

/** An authority of the fleet: it issues the certificates of boxes, and of the servers that boxes talk to. */
export interface Authority {
  readonly generation: number;
  /** PEM, signed by its own key. */
  readonly certificate: string;
  /** PEM, the same key signed by the authority before: who knows that one alone believes this one as well. Empty for the first. */
  readonly crossed: string;
  /** Milliseconds since the Unix epoch; null for the one that issues. */
  readonly trustedUntil: number | null;
}

export interface AuthoritiesOptions {
  readonly db: Kysely<Database>;
  readonly kms: Pick<KmsClient, 'call'>;
  /** For how long a box can be away and still come back: the life of a certificate and its grace. */
  readonly longestAbsenceMs: number;
  readonly now: () => number;
  readonly random: (size: number) => Buffer;
}

/**
 * The authorities of the fleet, one after the other; their keys are in the HSM. When one follows another, both count until no box can be
 * away that has heard of the earlier one alone, so that no box is lost.
 */
export class Authorities {
  readonly #options: AuthoritiesOptions;

  constructor(options: AuthoritiesOptions) {
    this.#options = options;
  }

  /** The one that issues; the first is made when it is asked for. @throws {SecureGateError} the KMS's */
  async present(): Promise<Authority> {
    const [newest] = await this.#newestFirst();
    return newest ?? (await this.#make(1));
  }

  /** All whose certificates count, the one that issues first. */
  async trusted(): Promise<readonly Authority[]> {
    const now = this.#options.now();
    const all = await this.#newestFirst();
    return all.filter(({ trustedUntil }) => trustedUntil === null || trustedUntil > now);
  }

  /**
   * Makes the next authority, which issues from now on.
   * @throws {SecureGateError} `conflict` while there are boxes that may know the one before the present one alone, and the KMS's
   */
  async roll(): Promise<Authority> {
    const present = await this.present();
    if ((await this.trusted()).length > 1) {
      throw new SecureGateError('conflict', 'The authority was exchanged not long ago, and boxes that are away may not have heard of it', {
        details: { generation: present.generation },
      });
    }
    return await this.#make(present.generation + 1, present);
  }

  /**
   * Makes an authority in the place of one whose key went with its HSM: nothing signs it but itself, and no box believes it before somebody
   * else has vouched for it.
   * @throws {SecureGateError} `conflict` where the key is there, and the KMS's
   */
  async replace(): Promise<Authority> {
    const present = await this.present();
    if (!(await this.#isLost(present))) {
      throw new SecureGateError('conflict', 'The key of the authority is in the HSM', { details: { generation: present.generation } });
    }
    return await this.#make(present.generation + 1);
  }

  /** The one that issues, whose key is in the HSM. @throws {SecureGateError} `conflict` where that is lost, and the KMS's */
  async issuing(): Promise<Authority> {
    const present = await this.present();
    if (!(await this.#isLost(present))) return present;
    throw new SecureGateError('conflict', 'The key of the authority of boxes is not in the HSM: have the authority replaced before', {
      details: { generation: present.generation },
    });
  }

  /** Makes the next authority in time before the present one ends. */
  async keep(): Promise<void> {
    const { certificate } = await this.present();
    const left = new X509Certificate(certificate).validToDate.getTime() - this.#options.now();
    if (left < LEAST_LEFT_MS && (await this.trusted()).length === 1) await this.roll();
  }

  /** The KMS would make a key that is asked for; one that signs was there. */
  async #isLost({ generation, certificate }: Authority): Promise<boolean> {
    const message = Buffer.from('securegate/v1/authority-probe');
    try {
      const { signatures } = await this.#options.kms.call('sign', { use: useOf(generation), messages: [message] });
      const key = new X509Certificate(certificate).publicKey;
      return !verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, Buffer.concat(signatures));
    } catch (error) {
      if (error instanceof SecureGateError && error.code === 'hsm_refused') return true;
      throw error;
    }
  }

  async #newestFirst(): Promise<Authority[]> {
    const rows = await this.#options.db.selectFrom('authorities').selectAll().orderBy('generation', 'desc').execute();
    return rows.map(viewOf);
  }

  /** Of two processes that make the same one, the first is heard: both have the same key. */
  async #make(generation: number, before?: Authority): Promise<Authority> {
    const { db, now, longestAbsenceMs } = this.#options;
    const own = await this.#sign(generation, generation);
    const crossed = before === undefined ? '' : await this.#sign(generation, before.generation, before);
    await db.transaction().execute(async (within) => {
      const row = { generation, certificate: own, crossed, trusted_until: null };
      await within
        .insertInto('authorities')
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      await within
        .updateTable('authorities')
        .set({ trusted_until: now() + longestAbsenceMs })
        .where('generation', '<', generation)
        .where('trusted_until', 'is', null)
        .execute();
    });
    return viewOf(await db.selectFrom('authorities').selectAll().where('generation', '=', generation).executeTakeFirstOrThrow());
  }

  /** A certificate of the authority's key, by its own key or by that of the authority before. */
  async #sign(generation: number, signer: number, before?: Authority): Promise<string> {
    const { kms, now, random } = this.#options;
    const [publicKey, signersKey] = [await this.#publicKey(generation), await this.#publicKey(signer)];
    const end = before === undefined ? now() + LIFE_MS : new X509Certificate(before.certificate).validToDate.getTime();
    const certificate = await signWithKms(kms, useOf(signer), {
      serialNumber: newSerial(random),
      subject: nameOf(generation),
      issuer: nameOf(signer),
      notBefore: new Date(now() - BACKDATED_MS),
      notAfter: new Date(end),
      publicKey,
      extensions: [
        // The next authority is signed by this one.
        new BasicConstraintsExtension(true, before === undefined ? 1 : 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
        new SubjectKeyIdentifierExtension(keyIdOf(publicKey)),
        new AuthorityKeyIdentifierExtension(keyIdOf(signersKey)),
      ],
    });
    return `${certificate.toString('pem')}\n`;
  }

  async #publicKey(generation: number): Promise<Buffer> {
    const jwk = await this.#options.kms.call('signingKey', { use: useOf(generation) });
    return createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'der' });
  }
}

export function useOf(generation: number): CaUse {
  return generation === 1 ? 'ca' : `ca-${generation}`;
}

export function nameOf(generation: number): string {
  return `CN=SecureGate fleet ${generation}`;
}

/** Fingerprint of a certificate (SHA-256 of its DER), base64url. */
export function fingerprintOf(certificate: string): string {
  return createHash('sha256').update(new X509Certificate(certificate).raw).digest('base64url');
}

/** RFC 7093, 2, method 1: the leftmost 160 bits of the SHA-256 of the key. */
export function keyIdOf(publicKey: Buffer): string {
  return createHash('sha256').update(publicKey).digest('hex').slice(0, 40);
}

function viewOf({ trusted_until, ...authority }: Selectable<Database['authorities']>): Authority {
  return { ...authority, trustedUntil: trusted_until };
}
