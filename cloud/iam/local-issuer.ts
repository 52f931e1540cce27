import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { calculateJwkThumbprint, type JWK, SignJWT } from 'jose';
import { ACCESS_TOKEN_TYPE, CLOUD_AUDIENCE, PLATFORM_OWNER, type TrustedIssuer } from '../../shared/tokens/token-verifier.ts';

export const LOCAL_ISSUER = 'urn:securegate:local';
const LIFE_S = 600;

/** Signs tokens for whoever works on the machine of the control plane itself: who can read this key could as well change the database. */
export class LocalIssuer {
  readonly #key: KeyObject;

  private constructor(key: KeyObject) {
    this.#key = key;
  }

  /** Opens the key in the folder of the control plane, after making it when there is none. */
  static open(dataDir: string): LocalIssuer {
    const file = join(dataDir, 'local-issuer.pem');
    if (!existsSync(file)) {
      mkdirSync(dataDir, { recursive: true, mode: 0o700 });
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
    }
    return new LocalIssuer(createPrivateKey(readFileSync(file)));
  }

  async trusted(): Promise<TrustedIssuer> {
    const jwk = createPublicKey(this.#key).export({ format: 'jwk' }) as JWK;
    return { issuer: LOCAL_ISSUER, keys: { keys: [{ ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'ES256', use: 'sig' }] } };
  }

  /**
   * A token for ten minutes.
   * @param org of the account; '' for the platform
   */
  async sign(id: string, org: string, now: number): Promise<string> {
    const jwk = createPublicKey(this.#key).export({ format: 'jwk' }) as JWK;
    const at = Math.floor(now / 1000);
    return await new SignJWT({ owner: org === '' ? PLATFORM_OWNER : org })
      .setProtectedHeader({ alg: 'ES256', typ: ACCESS_TOKEN_TYPE, kid: await calculateJwkThumbprint(jwk) })
      .setIssuer(LOCAL_ISSUER)
      .setAudience(CLOUD_AUDIENCE)
      .setSubject(id)
      .setIssuedAt(at)
      .setExpirationTime(at + LIFE_S)
      .sign(this.#key);
  }
}
