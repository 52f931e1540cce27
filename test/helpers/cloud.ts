import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { calculateJwkThumbprint, type JSONWebKeySet, type JWK, SignJWT } from 'jose';
import { onTestFinished } from 'vitest';
import type { z } from 'zod';
import { cloudConfigSchema } from '../../cloud/config/schema.ts';
import { ControlPlane, type ControlPlaneOptions } from '../../cloud/control-plane.ts';
import { LocalIssuer } from '../../cloud/iam/local-issuer.ts';
import type { StoreAddress } from '../../cloud/store/open-store.ts';
import type { Timeouts } from '../../shared/http/create-http-server.ts';
import { ACCESS_TOKEN_TYPE, CLOUD_AUDIENCE, PLATFORM_OWNER, type TrustedIssuer } from '../../shared/tokens/token-verifier.ts';
import { adminSet, signSet, type TestKms, TestSigner } from './kms.ts';
import { noteKeyPair, noteToken } from './secrecy/note-secret.ts';
import { testLogger } from './secrecy/test-logger.ts';
import { tempFolder } from './temp-folder.ts';

/** Signs access tokens as an identity provider would. */
export class TestIssuer {
  readonly issuer = 'https://id.test';
  readonly #pair = noteKeyPair('key of an issuer', generateKeyPairSync('ec', { namedCurve: 'P-256' }));

  get privateKey(): KeyObject {
    return this.#pair.privateKey;
  }

  get jwk(): JWK {
    return this.#pair.publicKey.export({ format: 'jwk' }) as JWK;
  }

  async jwks(): Promise<JSONWebKeySet> {
    return { keys: [{ ...this.jwk, kid: await calculateJwkThumbprint(this.jwk), alg: 'ES256' }] };
  }

  async trusted(): Promise<TrustedIssuer> {
    return { issuer: this.issuer, keys: await this.jwks() };
  }

  /** @param claims and `header` take the place of the proper ones */
  async token(
    id: string,
    org: string,
    claims: object = {},
    header: object = {},
    key: KeyObject | Uint8Array = this.privateKey,
  ): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const owner = org === '' ? PLATFORM_OWNER : org;
    const token = await new SignJWT({ iss: this.issuer, aud: CLOUD_AUDIENCE, sub: id, owner, iat: now, exp: now + 300, ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: ACCESS_TOKEN_TYPE, kid: await calculateJwkThumbprint(this.jwk), ...header })
      .sign(key);
    return noteToken('access token', token);
  }
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what is asserted says what it is
  readonly body: any;
  readonly headers: Headers;
}

type TestCloudConfig = Partial<Pick<z.input<typeof cloudConfigSchema>, 'api' | 'audit' | 'fleet' | 'issuer' | 'metrics'>>;

interface TestCloudOptions {
  /** A second process of one control plane has the signer of the first. */
  readonly signer?: TestIssuer;
  readonly now?: () => number;
  /** Short ones are for tests of slow clients. */
  readonly timeouts?: Timeouts;
  readonly boxes?: ControlPlaneOptions['fleet'];
}

/** For tests that ask faster than anybody may. */
export const NO_LIMITS = {
  perAddress: 1_000_000,
  perAccount: 1_000_000,
  wrongTokens: 1_000_000,
  perOrg: 1_000_000,
  keyOperations: 1_000_000,
} as const;

/** The tests of a file work in the same process, and can keep it busy for long; others work on the same machine. */
export const PATIENT = { eventLoopDelayMs: 60_000 };

/** A control plane in this process; it is stopped when the test has ended. */
export class TestCloud {
  readonly issuer: TestIssuer;
  readonly #cloud: ControlPlane;
  readonly dataDir: string;

  private constructor(issuer: TestIssuer, cloud: ControlPlane, dataDir: string) {
    this.issuer = issuer;
    this.#cloud = cloud;
    this.dataDir = dataDir;
  }

  /** @param more for the configuration (`issuer` in it takes the place of the test's), and for the control plane itself */
  static async start(
    kms: { readonly socket: string },
    address?: StoreAddress,
    { signer = new TestIssuer(), now = Date.now, timeouts, boxes, ...more }: TestCloudConfig & TestCloudOptions = {},
  ): Promise<TestCloud> {
    const dataDir = await tempFolder();
    const config = cloudConfigSchema.parse({
      dataDir,
      kms: { socket: kms.socket },
      ...more,
      api: { port: 0, rateLimits: NO_LIMITS, pressure: PATIENT, ...more.api },
    });
    const cloud = new ControlPlane({
      config,
      store: address ?? { file: join(dataDir, 'cloud.db') },
      ...(more.issuer === undefined ? { issuer: await signer.trusted() } : {}),
      ...(boxes === undefined ? {} : { fleet: boxes }),
      ...(timeouts === undefined ? {} : { timeouts }),
      now,
      logger: testLogger('cloud'),
    });
    await cloud.start();
    onTestFinished(async () => void (await cloud.stop()));
    return new TestCloud(signer, cloud, dataDir);
  }

  get url(): string {
    return this.#cloud.url;
  }

  /** A token that is signed on the machine of the control plane. */
  async localToken(id: string, org: string): Promise<string> {
    return await LocalIssuer.open(this.dataDir).sign(id, org, Date.now());
  }

  /** Where boxes enrol. */
  get fleetUrl(): string {
    return this.#cloud.fleetUrl;
  }

  async stop(): Promise<boolean> {
    return await this.#cloud.stop();
  }

  /** @param body text is sent as it stands */
  async ask(
    token: string | undefined,
    method: string,
    path: string,
    body?: object | string,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) };
  }
}

/** Pins admin keys for an org, so that the KMS makes keys for its tenants. */
export async function pinAdmins(kms: TestKms, org: string): Promise<TestSigner> {
  const [admin, safe, other] = [new TestSigner(), new TestSigner(), new TestSigner()];
  await kms.client.call('pinAdmins', { org, signed: await signSet(adminSet(org, 1, [admin], [safe, other]), [admin]) });
  return admin;
}
