import { createPublicKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralNames,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
} from '../../../shared/fleet/x509.ts';
import type { KmsClient } from '../../kms/client.ts';
import { type Authorities, type Authority, BACKDATED_MS, keyIdOf, nameOf, useOf } from './authorities.ts';
import { subjectOfDevice } from './device-subject.ts';
import { keyHash } from './key-hash.ts';
import { newSerial } from './new-serial.ts';
import { signWithKms } from './sign-with-kms.ts';

export interface Issued {
  /** PEM. */
  readonly certificate: string;
  /** Lower-case hex. */
  readonly serial: string;
  readonly notAfter: number;
  readonly authority: Authority;
}

export interface IssuerOptions {
  readonly authorities: Authorities;
  readonly kms: Pick<KmsClient, 'call'>;
  /** Life of the certificate of a box. */
  readonly lifeMs: number;
  readonly now: () => number;
  readonly random: (size: number) => Buffer;
}

/** Of those whose key does not leave the place where it was made: the control plane's lives in its memory alone and ends with it. */
const OWN_LIFE_MS = 365 * 86_400_000;

interface Holder {
  /** Its name, RFC 4514. */
  readonly subject: string;
  readonly alternatives: JsonGeneralNames;
  readonly usage: ExtendedKeyUsage;
  readonly publicKey: Buffer;
  readonly lifeMs: number;
}

/** Issues certificates in the name of the present authority. Whom they name is decided here, never by whoever asks. */
export class Issuer {
  readonly #options: IssuerOptions;

  constructor(options: IssuerOptions) {
    this.#options = options;
  }

  /**
   * The certificate of a box: it is a client, and nothing else.
   * @param publicKey SubjectPublicKeyInfo (DER) that was shown to be its own
   */
  async issueToDevice(device: string, publicKey: Buffer): Promise<Issued> {
    const alternatives: JsonGeneralNames = [{ type: 'url', value: `urn:securegate:device:${device}` }];
    const subject = subjectOfDevice(device, keyHash(createPublicKey({ key: publicKey, format: 'der', type: 'spki' })));
    return await this.#issue({ subject, alternatives, usage: ExtendedKeyUsage.clientAuth, publicKey, lifeMs: this.#options.lifeMs });
  }

  /** The certificate of a server that boxes talk to: it can be no box. @param names host names and addresses, at least one */
  async issueToServer(names: readonly string[], publicKey: Buffer): Promise<Issued> {
    const alternatives: JsonGeneralNames = names.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value }));
    const usage = ExtendedKeyUsage.serverAuth;
    return await this.#issue({ subject: 'CN=SecureGate control plane', alternatives, usage, publicKey, lifeMs: OWN_LIFE_MS });
  }

  /** The certificate of a process of the control plane, which is a client of a broker that stands apart. @param name no box can have it */
  async issueToControlPlane(name: string, publicKey: Buffer): Promise<Issued> {
    const alternatives: JsonGeneralNames = [{ type: 'url', value: `urn:securegate:control-plane:${name}` }];
    const usage = ExtendedKeyUsage.clientAuth;
    return await this.#issue({ subject: `CN=${name}`, alternatives, usage, publicKey, lifeMs: OWN_LIFE_MS });
  }

  async #issue({ subject, alternatives, usage, publicKey, lifeMs }: Holder): Promise<Issued> {
    const { authorities, kms, now, random } = this.#options;
    const authority = await authorities.present();
    const serial = newSerial(random);
    const at = now();
    const issuersKey = new X509Certificate(authority.certificate).publicKey.export({ type: 'spki', format: 'der' });
    const made = await signWithKms(kms, useOf(authority.generation), {
      serialNumber: serial,
      subject,
      issuer: nameOf(authority.generation),
      notBefore: new Date(at - BACKDATED_MS),
      notAfter: new Date(at + lifeMs),
      publicKey,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([usage], true),
        new SubjectAlternativeNameExtension(alternatives),
        new SubjectKeyIdentifierExtension(keyIdOf(publicKey)),
        new AuthorityKeyIdentifierExtension(keyIdOf(issuersKey)),
      ],
    });
    return { certificate: `${made.toString('pem')}\n`, serial, notAfter: made.notAfter.getTime(), authority };
  }
}
