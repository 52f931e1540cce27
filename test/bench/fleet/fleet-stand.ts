import { type ChildProcess, fork, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { Authorities } from '../../../cloud/fleet/pki/authorities.ts';
import { Issuer } from '../../../cloud/fleet/pki/issuer.ts';
import { keyHash } from '../../../cloud/fleet/pki/key-hash.ts';
import { LocalIssuer } from '../../../cloud/iam/local-issuer.ts';
import { People } from '../../../cloud/iam/people.ts';
import { openKmsStore } from '../../../cloud/kms/store/open-kms-store.ts';
import { openStore } from '../../../cloud/store/open-store.ts';
import { newOrgSchema, newTenantSchema } from '../../../cloud/tenants/org.ts';
import { Orgs } from '../../../cloud/tenants/orgs.ts';
import { Tenants } from '../../../cloud/tenants/tenants.ts';
import { freePort } from '../../../provisioning/cloud/free-port.ts';
import { newId } from '../../../shared/ids/ids.ts';
import { adminSet, signAssignment, signSet, TestDevice, TestKms, TestSigner } from '../../helpers/kms.ts';
import { makeToken } from '../../helpers/soft-hsm.ts';
import { tokenTrust } from '../../helpers/trust.ts';
import type { BoxesAnswer, BoxesRequest, BoxSetup } from './boxes-process.ts';
import { processUse } from './process-use.ts';

export const ORG = 'acme';
const MAIN = join(import.meta.dirname, '../../../provisioning/main.ts');
const DAY_MS = 86_400_000;
const MANY = 1_000_000;
/** Who is sent away because all is busy with the shred before comes again. */
const AGAIN_MS = 200;
const HEALTHY_MS = 60_000;

interface Ports {
  readonly api: number;
  readonly fleet: number;
  readonly broker: number;
}

/** A deployment as in production, each part a process: KMS on SoftHSM2, control plane with its broker, and processes that are many boxes. */
export class FleetStand {
  readonly folder: string;
  readonly kms: TestKms;
  readonly #admin = new TestSigner();
  /** All boxes have its RSA key: what is made for each is not what is measured. */
  readonly #device = new TestDevice();
  /** Each with the thumbprint of its key. */
  readonly #setups: (BoxSetup & { readonly jkt: string })[] = [];
  readonly #assigned: { readonly tenant: string; readonly boxes: number }[] = [];
  #ca = '';
  #accounts: readonly [string, string] = ['', ''];
  #ports: Ports = { api: 0, fleet: 0, broker: 0 };
  #cloud: ChildProcess | undefined;
  #boxes: ChildProcess[] = [];

  /** @param folder removed by who made it */
  constructor(folder: string) {
    this.folder = folder;
    const token = makeToken(folder);
    const { library, pinFile } = token;
    const hsm = { driver: 'pkcs11', library, token: token.token, pin: { file: pinFile }, destroyHorizonDays: 0 };
    const limits = { exportsPerTenant: MANY, exportsPerDevice: MANY, epochsPerOrg: MANY };
    const config = { dataDir: join(folder, 'data'), socket: join(folder, 'run/kms.sock'), hsm, limits };
    writeFileSync(join(folder, 'kms.json'), JSON.stringify(config));
    this.kms = new TestKms(folder, tokenTrust(token), token);
  }

  get boxes(): number {
    return this.#setups.length;
  }

  /** Starts the KMS, and makes the org, its people and its boxes. */
  async make(boxes: number): Promise<void> {
    await this.kms.start();
    const { client } = this.kms;
    const pemFile = join(this.folder, 'device.pem');
    writeFileSync(pemFile, this.#device.pem);
    await this.kms.officer({ do: 'add', pemFile });
    await client.call('pinAdmins', {
      org: ORG,
      signed: await signSet(adminSet(ORG, 1, [this.#admin], [this.#admin], 1, 1), [this.#admin]),
    });
    await this.#withStore(async ({ db }) => {
      const { id, ...fields } = newOrgSchema.parse({ id: ORG, name: 'Acme', jurisdiction: 'CH' });
      await new Orgs(db, Date.now).create(id, fields);
      const people = new People(db, Date.now);
      this.#accounts = [newId('user'), newId('user')];
      for (const account of this.#accounts) {
        await people.create(ORG, account, { kind: 'user', name: 'Ada', email: `${account}@acme.example` }, [{ role: 'org:admin' }]);
      }
      const shared = { kms: client, now: Date.now, random: randomBytes };
      const authorities = new Authorities({ db, longestAbsenceMs: DAY_MS, ...shared });
      const issuer = new Issuer({ authorities, lifeMs: 14 * DAY_MS, ...shared });
      for (let at = 0; at < boxes; at += 1) {
        const device = newId('box');
        const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        const { certificate, serial, notAfter } = await issuer.issueToDevice(device, publicKey.export({ type: 'spki', format: 'der' }));
        const jkt = await calculateJwkThumbprint(publicKey.export({ format: 'jwk' }) as JWK);
        await db.transaction().execute(async (within) => {
          const row = { id: device, org: ORG, name: device, state: 'active', wrap: this.#device.fingerprint, jkt, version: 1 } as const;
          await within
            .insertInto('devices')
            .values({ ...row, wrap_key: '', enrolled_at: Date.now() })
            .execute();
          const shown = { serial, device, key: keyHash(publicKey), not_after: notAfter, denied_at: null };
          await within.insertInto('certificates').values(shown).execute();
        });
        const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
        const address = `127.${1 + (at >> 8)}.${at & 255}.1`;
        this.#setups.push({ device, address, cert: certificate, key, jkt });
      }
      this.#ca = (await authorities.present()).certificate;
    });
  }

  /** Makes tenants, which the first so many boxes are to have. The control plane does not run meanwhile. */
  async addTenants(tenants: readonly string[], boxes: number): Promise<void> {
    await this.#withStore(async ({ db }) => {
      for (const id of tenants) {
        const { id: _id, ...fields } = newTenantSchema.parse({ id, name: id });
        await new Tenants(db, this.kms.client, Date.now).create(ORG, id, fields);
      }
    });
    this.#assigned.push(...tenants.map((tenant) => ({ tenant, boxes })));
  }

  /** Assigns what is to be assigned, and starts the control plane; then the boxes, in so many processes. */
  async run(processes: number): Promise<void> {
    await this.#assign();
    this.#ports = { api: await freePort(), fleet: await freePort(), broker: await freePort() };
    const config = join(this.folder, 'cloud.json');
    const rateLimits = { perAddress: MANY, perAccount: MANY, perOrg: MANY, keyOperations: MANY };
    const { api, fleet, broker } = this.#ports;
    writeFileSync(
      config,
      JSON.stringify({
        ...{ dataDir: join(this.folder, 'cloud'), kms: { socket: this.kms.socket }, api: { port: api, rateLimits } },
        fleet: { port: fleet, broker: { port: broker } },
      }),
    );
    const log = openSync(join(this.folder, 'cloud.log'), 'a');
    const profiling = process.env.PROFILE === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${process.env.PROFILE}`];
    this.#cloud = spawn(process.execPath, [...profiling, MAIN, 'cloud', 'run', '--config', config], { stdio: ['ignore', log, log] });
    const startedAt = performance.now();
    while (!(await this.#isHealthy())) {
      if (performance.now() - startedAt > HEALTHY_MS) throw new Error('the control plane did not start');
      await pause(50);
    }
    const commandKeys = [await this.kms.client.call('signingKey', { use: 'commands' })];
    const each = Math.ceil(this.boxes / processes);
    for (let at = 0; at < this.boxes; at += each) {
      this.#boxes.push(fork(join(import.meta.dirname, 'boxes-process.ts')));
      const boxes = this.#setups.slice(at, at + each);
      const setup = { org: ORG, port: broker, ca: this.#ca, commandKeys, boxes };
      await this.#tellOne(this.#boxes.at(-1) as ChildProcess, { do: 'start', setup });
    }
  }

  /** Has all processes of boxes do something, each for its part of `boxes`. */
  async tell(request: (boxes: number) => BoxesRequest, boxes = this.boxes): Promise<BoxesAnswer[]> {
    const share = boxes / this.#boxes.length;
    return await Promise.all(
      this.#boxes.map((child, at) => this.#tellOne(child, request(Math.round(share * (at + 1)) - Math.round(share * at)))),
    );
  }

  /** Asks the API. @param who one of two people */
  async ask(who: 0 | 1, method: string, path: string, body?: object): Promise<{ readonly id: string; readonly [field: string]: unknown }> {
    const token = await LocalIssuer.open(join(this.folder, 'cloud')).sign(this.#accounts[who], ORG, Date.now());
    const answer = await fetch(`http://127.0.0.1:${this.#ports.api}/v1/orgs/${ORG}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const told = (await answer.json()) as { id: string };
    if (answer.status === 503) {
      await pause(AGAIN_MS);
      return await this.ask(who, method, path, body);
    }
    if (!answer.ok) throw new Error(`${method} ${path}: ${JSON.stringify(told)}`);
    return told;
  }

  /** Processor time that each part has taken so far, in milliseconds. */
  cpuMs(): { readonly controlPlane: number; readonly kms: number; readonly boxes: number } {
    const boxes = this.#boxes.map(({ pid }) => processUse(pid ?? 0).cpuMs).reduce((sum, one) => sum + one, 0);
    return { controlPlane: processUse(this.#cloud?.pid ?? 0).cpuMs, kms: processUse(this.kms.pid).cpuMs, boxes };
  }

  /** Ends the boxes and the control plane; the KMS goes on. */
  async rest(): Promise<void> {
    for (const child of this.#boxes.splice(0)) child.disconnect();
    const cloud = this.#cloud;
    this.#cloud = undefined;
    if (cloud === undefined || cloud.exitCode !== null) return;
    const gone = once(cloud, 'exit');
    cloud.kill('SIGTERM');
    await gone;
  }

  async stop(): Promise<void> {
    await this.rest();
    this.kms.client.close();
    await this.kms.stop('SIGKILL');
  }

  /** Straight into the records: each change of them that the KMS makes is counted in the HSM, a thousand of them for half a minute. */
  async #assign(): Promise<void> {
    await this.kms.stop();
    const store = openKmsStore(this.kms.dataDir);
    for (const { tenant, boxes } of this.#assigned.splice(0)) {
      const claims = await this.#device.claims(ORG, tenant);
      const assigned = this.#setups.slice(0, boxes).map(async ({ device, jkt }) => {
        const id = newId('record');
        const token = await signAssignment(this.#admin, {
          ...claims,
          exp: Math.floor(Date.now() / 1000) + 86_400,
          jti: id,
          sub: device,
          cnf: { jkt },
        });
        return { id, org: ORG, tenant, device, token };
      });
      const rows = await Promise.all(assigned);
      store.atomically(() => {
        for (const row of rows) store.assignments.add(row, Date.now());
      });
    }
    store.close();
    await this.kms.start();
  }

  async #withStore(work: (store: Awaited<ReturnType<typeof openStore>>) => Promise<void>): Promise<void> {
    const store = await openStore({ file: join(this.folder, 'cloud', 'cloud.db') });
    await work(store);
    await store.close();
  }

  async #isHealthy(): Promise<boolean> {
    if (this.#cloud?.exitCode !== null) throw new Error(`the control plane ended: ${this.folder}/cloud.log`);
    return await fetch(`http://127.0.0.1:${this.#ports.api}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  async #tellOne(child: ChildProcess, request: BoxesRequest): Promise<BoxesAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<BoxesAnswer>();
    const onExit = (): void => reject(new Error('a process of boxes ended'));
    child.once('message', (answer) => resolve(answer as BoxesAnswer)).once('exit', onExit);
    child.send(request);
    return await promise.finally(() => child.off('exit', onExit));
  }
}
