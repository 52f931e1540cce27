import { type ChildProcess, spawn } from 'node:child_process';
import { constants, createHash, generateKeyPairSync, type KeyObject, privateDecrypt, publicEncrypt, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CompactSign, calculateJwkThumbprint, FlattenedSign, type JWK, SignJWT } from 'jose';
import { onTestFinished } from 'vitest';
import { KmsClient } from '../../cloud/kms/client.ts';
import { readDeviceKey } from '../../cloud/kms/hsm/device-key.ts';
import { runTrust, type TrustOrder } from '../../cloud/kms/trust-main.ts';
import { newId } from '../../shared/ids/ids.ts';
import { ADMIN_SET_TYPE, type AdminSet, type SignedSet } from '../../shared/lease/admin-set.ts';
import { ASSIGNMENT_TYPE } from '../../shared/lease/assignment.ts';
import { EPOCH_MOVED_TYPE } from '../../shared/lease/epoch-moved.ts';
import { EXPORT_REQUEST_TYPE, KMS_AUDIENCE } from '../../shared/lease/export-request.ts';
import { EXPORT_INFO, EXPORT_SUITE, exportAad } from '../../shared/lease/export-seal.ts';
import { HAND_OVER_TYPE } from '../../shared/lease/hand-over.ts';
import type { LeaseAnswer } from '../../shared/lease/lease-answer.ts';
import { DEFAULT_LEASE_SECONDS } from '../../shared/lease/lease-token.ts';
import { OFFLINE_APPROVAL_TYPE } from '../../shared/lease/offline-approval.ts';
import type { PublicKey } from '../../shared/lease/public-key.ts';
import type { Recovery } from '../../shared/lease/recovery.ts';
import { noteKeyPair, noteSecret } from './secrecy/note-secret.ts';
import { makeToken, softHsmToken, type TestToken } from './soft-hsm.ts';
import { tempFolder } from './temp-folder.ts';
import { tokenTrust } from './trust.ts';

const MAIN = fileURLToPath(new URL('../../provisioning/main.ts', import.meta.url));

/** A KMS in a process of its own, as it is run: on SoftHSM2, or with its keys in software. */
export class TestKms {
  readonly dataDir: string;
  readonly client: KmsClient;
  readonly token: TestToken | undefined;
  readonly #trust: object;
  readonly configFile: string;
  readonly socket: string;
  #child: ChildProcess | undefined;
  log = '';

  constructor(folder: string, trust: object, token: TestToken | undefined) {
    this.dataDir = join(folder, 'data');
    this.socket = socketIn(folder);
    this.client = new KmsClient(this.socket);
    this.configFile = join(folder, 'kms.json');
    this.#trust = trust;
    this.token = token;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** @param nodeArguments such as `--import` of what is to be loaded before it */
  async start(...nodeArguments: string[]): Promise<void> {
    const child = spawn(process.execPath, [...nodeArguments, MAIN, 'kms', '--config', this.configFile, '--json'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    const ready = Promise.withResolvers<void>();
    child.stderr?.on('data', (chunk: Buffer) => {
      this.log += chunk.toString();
      if (this.log.includes('"msg":"started')) ready.resolve();
    });
    child.once('exit', (code) => ready.reject(new Error(`the KMS ended with ${code}:\n${this.log}`)));
    await ready.promise;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
    this.log = '';
  }

  /** Changes its configuration, which counts from the next start on. */
  async configure(change: object): Promise<void> {
    const config = JSON.parse(await readFile(this.configFile, 'utf8')) as object;
    await writeFile(this.configFile, JSON.stringify({ ...config, ...change }));
  }

  /** Copies its records. @returns what puts the copy in their place; both end the process, and only the copying starts it again */
  async copyRecords(): Promise<() => Promise<void>> {
    await this.stop();
    const copy = await tempFolder();
    await cp(this.dataDir, copy, { recursive: true });
    await this.start();
    return async () => {
      await this.stop();
      await rm(this.dataDir, { recursive: true });
      await cp(copy, this.dataDir, { recursive: true });
    };
  }

  /** What it wrote down of its calls. */
  async audit(): Promise<Record<string, unknown>[]> {
    const lines = (await readFile(join(this.dataDir, 'audit.jsonl'), 'utf8')).trim().split('\n');
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Does what the security officer orders, in this process: the KMS is another one. */
  async officer(order: TrustOrder): Promise<string[]> {
    const file = join(this.dataDir, '..', 'kms-trust.json');
    await writeFile(file, JSON.stringify(this.#trust));
    return await runTrust(file, order);
  }

  /** Takes its HSM away for ever, and gives it another one that knows nothing; the process is ended, and has to be started. */
  async loseHsm(): Promise<void> {
    await this.stop();
    const folder = join(this.dataDir, '..');
    for (const lost of ['tokens', 'keystore', 'trusted']) await rm(join(folder, lost), { recursive: true, force: true });
    if (this.token) makeToken(folder);
  }

  async trustDevice(device: TestDevice): Promise<void> {
    await this.officer({ do: 'add', pemFile: await device.pemFile() });
  }
}

/** A started KMS; it is ended when the test has ended. */
export async function testKms(driver: 'softhsm' | 'software' = 'softhsm', limits: object = {}): Promise<TestKms> {
  const token = driver === 'softhsm' ? await softHsmToken() : undefined;
  const folder = token?.folder ?? (await tempFolder());
  const file = join(folder, 'master.key');
  if (!token) await writeFile(file, randomBytes(32), { mode: 0o600 });
  const hsm = token
    ? { driver: 'pkcs11', library: token.library, token: token.token, pin: { file: token.pinFile }, destroyHorizonDays: 7 }
    : { driver: 'software', keystore: join(folder, 'keystore'), trustedKeys: join(folder, 'trusted'), masterKey: { file } };
  const config = { dataDir: join(folder, 'data'), socket: socketIn(folder), hsm, limits };
  await writeFile(join(folder, 'kms.json'), JSON.stringify(config));
  const trust = token ? tokenTrust(token) : { driver: 'software', trustedKeys: join(folder, 'trusted') };
  const kms = new TestKms(folder, trust, token);
  onTestFinished(async () => {
    kms.client.close();
    await kms.stop('SIGKILL');
  });
  await kms.start();
  return kms;
}

function socketIn(folder: string): string {
  return join(folder, 'run', 'kms.sock');
}

/** A P-256 key of an admin, or of a safe. */
export class TestSigner {
  readonly #pair = noteKeyPair('key that signs', generateKeyPairSync('ec', { namedCurve: 'P-256' }));

  get privateKey(): KeyObject {
    return this.#pair.privateKey;
  }

  get jwk(): PublicKey {
    return this.#pair.publicKey.export({ format: 'jwk' }) as PublicKey;
  }

  async thumbprint(): Promise<string> {
    return await calculateJwkThumbprint(this.jwk as JWK);
  }
}

export function adminSet(
  org: string,
  version: number,
  admins: TestSigner[],
  recovery: TestSigner[],
  quorum = 1,
  recoveryQuorum = 2,
): AdminSet {
  return {
    org,
    version,
    admins: { keys: admins.map(({ jwk }) => jwk), quorum },
    recovery: { keys: recovery.map(({ jwk }) => jwk), quorum: recoveryQuorum },
  };
}

export async function signSet(set: object, signers: TestSigner[], typ = ADMIN_SET_TYPE): Promise<SignedSet> {
  const payload = Buffer.from(JSON.stringify(set));
  const signatures = [];
  for (const signer of signers) {
    const { protected: header = '', signature } = await new FlattenedSign(payload)
      .setProtectedHeader({ alg: 'ES256', typ, kid: await signer.thumbprint() })
      .sign(signer.privateKey);
    signatures.push({ protected: header, signature });
  }
  return { payload: payload.toString('base64url'), signatures };
}

/** What an assignment says; tests change single claims. */
export type AssignmentClaims = Record<string, unknown>;

export async function signAssignment(signer: TestSigner, claims: AssignmentClaims, typ = ASSIGNMENT_TYPE): Promise<string> {
  return await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ, kid: await signer.thumbprint() }).sign(signer.privateKey);
}

/** An admin's approval of a request without a challenge, for an hour; `change` puts other claims into it. */
export async function signApproval(signer: TestSigner, org: string, request: string, change: object = {}): Promise<string> {
  const iat = Math.floor(Date.now() / 1000);
  const hash = createHash('sha256').update(request).digest('base64url');
  const claims = { aud: KMS_AUDIENCE, jti: randomBytes(16).toString('hex'), iat, exp: iat + 3600, org, request: hash, ...change };
  return await new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', typ: OFFLINE_APPROVAL_TYPE, kid: await signer.thumbprint() })
    .sign(signer.privateKey);
}

/** A token that carries the key by which it is signed. */
async function signWithOwnKey(signer: TestSigner, typ: string, claims: object): Promise<string> {
  return await new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'ES256', typ, jwk: signer.jwk as JWK })
    .sign(signer.privateKey);
}

/** A request of a box, with the one-use key by which it opens the answer. */
export interface TestRequest {
  readonly token: string;
  readonly privateKey: Awaited<ReturnType<typeof EXPORT_SUITE.GenerateKeyPair>>['privateKey'];
  readonly org: string;
  readonly tenant: string;
  readonly epoch: number;
  readonly nonce: string;
}

/** A box: an RSA key to which tenant keys are wrapped, and a key by which it signs. */
export class TestDevice {
  readonly id = newId('box');
  readonly signer = new TestSigner();
  readonly #rsa = noteKeyPair('key of a device', generateKeyPairSync('rsa', { modulusLength: 2048 }));

  get pem(): string {
    return this.#rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  }

  get fingerprint(): string {
    return readDeviceKey(this.pem).fingerprint;
  }

  async pemFile(): Promise<string> {
    const file = join(await tempFolder(), 'device.pem');
    await writeFile(file, this.pem);
    return file;
  }

  /** Claims of an assignment of this device, valid for an hour. */
  async claims(org: string, tenant: string): Promise<AssignmentClaims> {
    const now = Math.floor(Date.now() / 1000);
    const cnf = { jkt: await this.signer.thumbprint() };
    return {
      aud: KMS_AUDIENCE,
      jti: randomBytes(16).toString('hex'),
      iat: now,
      exp: now + 3600,
      org,
      tenant,
      sub: this.id,
      wrap: this.fingerprint,
      cnf,
      lease: { seconds: DEFAULT_LEASE_SECONDS, enforcement: 'memory' },
    };
  }

  /** Asks for a tenant key as a box does, and opens the answer. */
  async fetchTek(client: KmsClient, org: string, tenant: string, epoch: number): Promise<Buffer> {
    const request = await this.request(client, org, tenant, epoch);
    return await this.openTek(request, await client.call('exportTek', { request: request.token }));
  }

  /** The tenant key in the answer to a request. */
  async openTek(request: TestRequest, { encapsulated, sealed, oaepHash }: LeaseAnswer): Promise<Buffer> {
    const { privateKey, org, tenant, epoch, nonce } = request;
    const aad = exportAad({ org, tenant, device: this.id, epoch, nonce });
    const wrapped = await EXPORT_SUITE.Open(privateKey, encapsulated, sealed, { info: EXPORT_INFO, aad });
    const tek = privateDecrypt({ key: this.#rsa.privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, wrapped);
    noteSecret('tenant key', tek);
    return tek;
  }

  /** A signed request; `change` puts other claims into it. */
  async request(
    client: KmsClient,
    org: string,
    tenant: string,
    epoch: number,
    change: object = {},
    signer = this.signer,
  ): Promise<TestRequest> {
    const { nonce } = await client.call('challenge', {});
    return await this.#request(org, tenant, epoch, nonce, change, signer);
  }

  /** A request without a challenge, as a box makes it that has no network. */
  async offlineRequest(org: string, tenant: string, epoch: number): Promise<TestRequest> {
    return await this.#request(org, tenant, epoch, randomBytes(32).toString('base64url'), {}, this.signer);
  }

  /** Says that it has moved to an epoch; `change` puts other claims into it. */
  async movedTo(org: string, tenant: string, epoch: number, change: object = {}, signer = this.signer): Promise<string> {
    const iat = Math.floor(Date.now() / 1000);
    return await signWithOwnKey(signer, EPOCH_MOVED_TYPE, { aud: KMS_AUDIENCE, sub: this.id, org, tenant, epoch, iat, ...change });
  }

  /** Hands a tenant key over, as a recovery has it; `change` puts other claims into it. */
  async handOver(recovery: Recovery, tenant: string, tek: Buffer, change: object = {}, signer = this.signer): Promise<string> {
    const { id, org, tenants, transport } = recovery;
    const epoch = tenants.find((one) => one.tenant === tenant)?.epoch ?? 1;
    const wrapped = publicEncrypt({ key: transport.key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: transport.oaepHash }, tek);
    const claims = { aud: KMS_AUDIENCE, sub: this.id, org, tenant, epoch, iat: Math.floor(Date.now() / 1000), recovery: id };
    return await signWithOwnKey(signer, HAND_OVER_TYPE, { ...claims, tek: wrapped.toString('base64url'), ...change });
  }

  async #request(org: string, tenant: string, epoch: number, nonce: string, change: object, signer: TestSigner): Promise<TestRequest> {
    const { privateKey, publicKey } = await EXPORT_SUITE.GenerateKeyPair();
    const hpke = Buffer.from(await EXPORT_SUITE.SerializePublicKey(publicKey)).toString('base64url');
    const claims = { aud: KMS_AUDIENCE, sub: this.id, org, tenant, epoch, nonce, hpke, ...change };
    const token = await signWithOwnKey(signer, EXPORT_REQUEST_TYPE, claims);
    return { token, privateKey, org, tenant, epoch, nonce };
  }
}
