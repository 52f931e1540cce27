import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { type BrokerFiles, certifyBroker } from '../../cloud/certify-broker.ts';
import { LOCAL_OPERATOR } from '../../cloud/iam/local-operator.ts';
import type { StoreAddress } from '../../cloud/store/open-store.ts';
import { enrol } from '../../edge/link/enrolment/enrol.ts';
import { LinkFolder } from '../../edge/link/enrolment/link-folder.ts';
import { signDeviceStatement } from '../../edge/vault/keys/device/sign-device-statement.ts';
import type { Enrolment } from '../../shared/fleet/enrolment.ts';
import { newId } from '../../shared/ids/ids.ts';
import { type Answer, pinAdmins, TestCloud } from './cloud.ts';
import { freePort } from './free-port.ts';
import { signAssignment, type TestKms, type TestSigner, testKms } from './kms.ts';
import { Mosquitto } from './mosquitto.ts';
import { tempFolder } from './temp-folder.ts';

/** A box as far as its link goes: its folders, its keys, and the real code that enrols it. */
export class TestBox {
  readonly id: string;
  readonly folder: LinkFolder;
  readonly dataDir: string;
  readonly keyDir: string;
  readonly #place: { id: string; folder: string; dataDir: string };

  private constructor(id: string, root: string) {
    this.id = id;
    this.dataDir = join(root, 'data');
    this.keyDir = join(root, 'keys');
    this.folder = new LinkFolder(this.keyDir, undefined);
    this.#place = { id, folder: join(this.keyDir, 'device'), dataDir: this.dataDir };
  }

  static async make(id = newId('box')): Promise<TestBox> {
    const root = await tempFolder();
    await mkdir(join(root, 'data'));
    return new TestBox(id, root);
  }

  readonly state = (csr: string, name = 'Front desk') => signDeviceStatement(this.#place, undefined, { name, csr });

  enrol(cloud: string, token: string): Promise<Enrolment> {
    return enrol({ folder: this.folder, cloud, token, state: this.state });
  }
}

/** A control plane that serves boxes, with the org `acme`, its admin and its tenant `hall`. */
export class TestFleet {
  readonly kms: TestKms;
  readonly cloud: TestCloud;
  readonly admin: TestSigner;
  readonly broker: CertifiedBroker | undefined;
  /** Asks as the admin of the org. */
  readonly ask: (method: string, path: string, body?: object, headers?: Record<string, string>) => Promise<Answer>;
  readonly asOperator: (method: string, path: string, body?: object) => Promise<Answer>;

  /** Of the admin of the org. */
  readonly accessToken: () => Promise<string>;

  private constructor(
    kms: TestKms,
    cloud: TestCloud,
    admin: TestSigner,
    adminId: string,
    tokenOf: (id: string, org: string) => Promise<string>,
    broker: CertifiedBroker | undefined,
  ) {
    this.broker = broker;
    this.kms = kms;
    this.cloud = cloud;
    this.admin = admin;
    this.accessToken = () => tokenOf(adminId, 'acme');
    this.ask = async (method, path, body, headers) => cloud.ask(await this.accessToken(), method, `/v1/orgs/acme${path}`, body, headers);
    this.asOperator = async (method, path, body) => cloud.ask(await tokenOf(LOCAL_OPERATOR, ''), method, path, body);
  }

  static async start({
    driver = 'software',
    address,
    now = Date.now,
    wrongTokens = 1_000_000,
    perBox = 1_000_000,
    broker = 'none',
    limits,
  }: {
    driver?: 'software' | 'softhsm';
    address?: StoreAddress;
    now?: () => number;
    wrongTokens?: number;
    perBox?: number;
    /** Which it has; boxes are told of one in any case. */
    broker?: 'none' | 'embedded' | 'mosquitto';
    /** Of the KMS. */
    limits?: object;
  } = {}): Promise<TestFleet> {
    const kms = await testKms(driver, limits);
    const mosquitto = `mqtts://127.0.0.1:${await freePort()}`;
    const told = { none: { mqtt: 'mqtts://127.0.0.1:8883' }, embedded: { broker: { port: 0 } }, mosquitto: { broker: { url: mosquitto } } }[
      broker
    ];
    const fleet = { port: 0, ...told, rateLimits: { perAddress: 1_000_000, perBox, wrongTokens } };
    const cloud = await TestCloud.start(kms, address, { fleet, now });
    const own = broker === 'mosquitto' ? await CertifiedBroker.start(kms, cloud.dataDir, new URL(mosquitto)) : undefined;
    const tokenOf = (id: string, org: string): Promise<string> => {
      const at = Math.floor(now() / 1000);
      return cloud.issuer.token(id, org, { iat: at, exp: at + 300 });
    };
    const ask = async (path: string, body: object): Promise<Answer> => cloud.ask(await tokenOf(LOCAL_OPERATOR, ''), 'POST', path, body);
    expect(await ask('/v1/orgs', { id: 'acme', name: 'Acme Halls', jurisdiction: 'CH' })).toMatchObject({ status: 201 });
    const { body: ada } = await ask('/v1/orgs/acme/first-admin', { name: 'Ada', email: 'ada@acme.example' });
    const admin = await pinAdmins(kms, 'acme');
    const made = new TestFleet(kms, cloud, admin, ada.id as string, tokenOf, own);
    expect(await made.ask('POST', '/tenants', { id: 'hall', name: 'Hall' })).toMatchObject({ status: 201 });
    return made;
  }

  /** Another control plane beside this one, on the same database and KMS. @returns where boxes enrol there */
  static async beside({ kms }: TestFleet, address: StoreAddress): Promise<string> {
    return (await TestCloud.start(kms, address, { fleet: { port: 0 } })).fleetUrl;
  }

  /** Where boxes enrol, by a name that is in its certificate. */
  get url(): string {
    return this.cloud.fleetUrl;
  }

  async token(fields: object = {}): Promise<string> {
    const made = await this.ask('POST', '/enrolment-tokens', fields);
    expect(made.status).toBe(201);
    return made.body.token as string;
  }

  async enrolled(): Promise<TestBox> {
    const box = await TestBox.make();
    await box.enrol(this.url, await this.token());
    return box;
  }

  /** Has the security officer of the KMS trust a box's key. */
  async trust({ id }: Pick<TestBox, 'id'>): Promise<void> {
    const { body: device } = await this.ask('GET', `/devices/${id}`);
    const pemFile = join(await tempFolder(), 'box.pem');
    await writeFile(pemFile, device.wrapKey as string);
    await this.kms.officer({ do: 'add', pemFile });
  }

  /** Assigns a box to the tenant by the keys that the control plane tells of it; `change` puts other claims into the assignment. */
  async assign({ id }: Pick<TestBox, 'id'>, change: object = {}): Promise<Answer> {
    const { body: device } = await this.ask('GET', `/devices/${id}`);
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      ...{ aud: 'securegate-kms', jti: newId('record'), iat: now, exp: now + 3600, org: 'acme', tenant: 'hall', sub: id },
      ...{ wrap: device.wrap as string, cnf: { jkt: device.jkt as string }, lease: { seconds: 86_400, enforcement: 'memory' as const } },
      ...change,
    };
    return await this.ask('POST', '/assignments', { assignment: await signAssignment(this.admin, claims) });
  }
}

/** A broker that stands apart, with what a control plane certifies for it. */
export class CertifiedBroker {
  readonly mosquitto: Mosquitto;
  /** File with its users and their rights, which it writes anew with each change. */
  readonly rights: string;
  /** Gives it a certificate anew, as `securegate cloud broker-certificate` does. */
  readonly certify: () => Promise<BrokerFiles>;

  private constructor(mosquitto: Mosquitto, rights: string, certify: () => Promise<BrokerFiles>) {
    this.mosquitto = mosquitto;
    this.rights = rights;
    this.certify = certify;
  }

  static async start(
    { socket }: { readonly socket: string },
    dataDir: string,
    { hostname, port }: URL,
    controlPlanes = ['control-plane'],
  ): Promise<CertifiedBroker> {
    const [config, folder] = [join(await tempFolder(), 'cloud.json'), await tempFolder()];
    await writeFile(config, JSON.stringify({ dataDir, kms: { socket } }));
    const certify = (): Promise<BrokerFiles> => certifyBroker(config, { names: [hostname], folder, controlPlanes });
    const files = await certify();
    const mosquitto = new Mosquitto({ ...files, folder, port: Number(port) });
    await mosquitto.start();
    onTestFinished(() => mosquitto.stop());
    return new CertifiedBroker(mosquitto, files.rights, certify);
  }
}
