import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Authorities } from '../../cloud/fleet/pki/authorities.ts';
import { Issuer } from '../../cloud/fleet/pki/issuer.ts';
import type { KmsClient } from '../../cloud/kms/client.ts';
import { openStore, type Store } from '../../cloud/store/open-store.ts';
import { tempFolder } from './temp-folder.ts';

const LIFE_MS = 14 * 86_400_000;

export interface Certified {
  readonly key: KeyObject;
  /** PEM. */
  readonly certificate: string;
}

/** An authority of a fleet of its own, with its keys in memory: real certificates without a KMS and without an enrolment. */
export class TestFleetCa {
  /** When it issues everything; tests move it. */
  at: number;
  readonly authorities: Authorities;
  readonly #issuer: Issuer;
  readonly #pairs: KeyPairs = new Map();

  private constructor(at: number, { db }: Store) {
    this.at = at;
    const shared = { kms: keysInMemory(this.#pairs), now: () => this.at, random: randomBytes };
    this.authorities = new Authorities({ db, longestAbsenceMs: LIFE_MS, ...shared });
    this.#issuer = new Issuer({ authorities: this.authorities, lifeMs: LIFE_MS, ...shared });
  }

  static async make(at = Date.now()): Promise<TestFleetCa> {
    const store = await openStore({ file: join(await tempFolder(), 'ca.db') });
    onTestFinished(() => store.close());
    return new TestFleetCa(at, store);
  }

  /** Its certificate, PEM. */
  async authority(): Promise<string> {
    return (await this.authorities.present()).certificate;
  }

  /** Its keys are gone, and others take their places. */
  loseKeys(): void {
    this.#pairs.clear();
  }

  async device(id: string): Promise<Certified> {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { certificate } = await this.#issuer.issueToDevice(id, publicKey.export({ type: 'spki', format: 'der' }));
    return { key: privateKey, certificate };
  }

  async server(names: readonly string[]): Promise<Certified> {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { certificate } = await this.#issuer.issueToServer(names, publicKey.export({ type: 'spki', format: 'der' }));
    return { key: privateKey, certificate };
  }
}

type KeyPairs = Map<string, ReturnType<typeof generateKeyPairSync>>;

function keysInMemory(pairs: KeyPairs): Pick<KmsClient, 'call'> {
  const pairOf = (use: string) => {
    const pair = pairs.get(use) ?? generateKeyPairSync('ec', { namedCurve: 'P-256' });
    pairs.set(use, pair);
    return pair;
  };
  const call = async (operation: string, { use, messages }: { use: string; messages: readonly Buffer[] }): Promise<unknown> =>
    operation === 'signingKey'
      ? pairOf(use).publicKey.export({ format: 'jwk' })
      : { signatures: messages.map((message) => sign('sha256', message, { key: pairOf(use).privateKey, dsaEncoding: 'ieee-p1363' })) };
  return { call } as Pick<KmsClient, 'call'>;
}
