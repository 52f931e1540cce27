import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { KmsClient } from '../../../../cloud/kms/client.ts';
import type { ConfigInput } from '../../../../edge/config/schema.ts';
import { projectRoot } from '../../../../models/registry/project-root.ts';
import { ASSIGNMENT_TYPE } from '../../../../shared/lease/assignment.ts';
import { DEFAULT_LEASE_SECONDS, type Enforcement } from '../../../../shared/lease/lease-token.ts';
import { type EmbeddedFolder, openEmbeddedFolder } from '../../../cloud/embedded-folder.ts';
import { KmsProcess } from '../../../cloud/kms-process.ts';
import { makeKeyFile, type OrgKey } from '../../../org-keys/key-file.ts';
import { readDevice } from '../../../org-keys/read-device.ts';
import { signAdminSet } from '../../../org-keys/sign-admin-set.ts';
import { signForKms } from '../../../org-keys/sign-for-kms.ts';
import { SoftTpm } from '../../harness/soft-tpm.ts';
import { LEASED, OTHER } from './lease.ts';
import { Machine } from './machine.ts';

const ORG = 'drill';
const YEAR_S = 365 * 86_400;
/** A drill has more leases made in an hour than a box ever needs. */
const LIMITS = { exportsPerDevice: 10_000, exportsPerTenant: 10_000 };

/** The KMS on SoftHSM, the org's admin, and the box that he has assigned, of which each case gets a copy that was never used. */
export class Site {
  #folder = '';
  #embedded: EmbeddedFolder | undefined;
  #client: KmsClient | undefined;
  #kms: KmsProcess | undefined;
  #admin: OrgKey | undefined;
  #machine: Machine | undefined;
  readonly #machines = new Set<Machine>();
  readonly #tpms = new Set<SoftTpm>();
  #count = 0;

  async start(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'securegate-offline-'));
    const cloud = join(this.#folder, 'cloud');
    this.#embedded = openEmbeddedFolder(cloud, { port: 0, fleetPort: 0, brokerPort: 0 });
    const { kmsConfig } = this.#embedded;
    await writeFile(kmsConfig, JSON.stringify({ ...JSON.parse(await readFile(kmsConfig, 'utf8')), limits: LIMITS }));
    const { KmsClient } = await import('../../../../cloud/kms/client.ts');
    this.#client = new KmsClient(this.#socket);
    await this.cloudComes();
    this.#admin = await makeKeyFile(join(this.#folder, 'admin.pem'));
    const quorum = { keys: [this.#admin.publicKey], quorum: 1 };
    const signed = await signAdminSet({ org: ORG, version: 1, admins: quorum, recovery: quorum }, [this.#admin]);
    await this.#kmsClient.call('pinAdmins', { org: ORG, signed });
    await this.#kmsClient.call('createEpoch', { org: ORG, tenant: LEASED, epoch: 1 });
    await this.#prepareBox();
  }

  async stop(): Promise<void> {
    await this.clear();
    this.#client?.close();
    await this.#kms?.stop();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 10 });
  }

  /** Ends the machines of the case that is over. */
  async clear(): Promise<void> {
    const [machines, tpms] = [[...this.#machines], [...this.#tpms]];
    this.#machines.clear();
    this.#tpms.clear();
    await Promise.all(machines.map((machine) => machine.remove()));
    await Promise.all(tpms.map((tpm) => tpm.cut()));
  }

  /** Whether the HSM is one: without SoftHSM2 its keys are in software. */
  get hasHsm(): boolean {
    return Object.keys(this.#embedded?.kmsEnv ?? {}).length > 0;
  }

  async cloudGoes(): Promise<void> {
    await this.#kms?.stop();
    this.#kms = undefined;
  }

  async cloudComes(): Promise<void> {
    if (this.#kms !== undefined || this.#embedded === undefined) return;
    this.#kms = new KmsProcess(this.#embedded.kmsConfig, { ...this.#embedded.kmsEnv, SECUREGATE_LOG_LEVEL: 'warn' });
    await this.#kms.start(async () => {
      try {
        return (await this.#kmsClient.call('status', {})).ready;
      } catch {
        return false;
      }
    });
  }

  /** The one that is looked at. */
  get machine(): Machine {
    if (this.#machine === undefined) throw new Error('There is no machine');
    return this.#machine;
  }

  /** Makes a machine of the assigned box, switched off. Its tenants have no files yet. */
  async newMachine(enforcement: Enforcement): Promise<void> {
    const { id: sub, wrap, jkt } = readDevice(join(this.#folder, 'device.json'));
    const claims = { org: ORG, tenant: LEASED, sub, wrap, cnf: { jkt }, lease: { seconds: DEFAULT_LEASE_SECONDS, enforcement } };
    if (this.#admin === undefined) throw new Error('The site was not started');
    await this.#kmsClient.call('assign', { assignment: await signForKms(this.#admin, ASSIGNMENT_TYPE, claims, YEAR_S, Date.now()) });
    await this.#build(join(this.#folder, 'prepared'), enforcement === 'tpm');
  }

  /** Puts another machine in the place of the present one, which is switched off, with a copy of its disk. */
  async copyDisk(): Promise<void> {
    const original = this.machine;
    await this.#build(original.folder, original.tpm !== undefined);
    this.machine.knowGuestsOf(original);
  }

  async #build(disk: string, withTpm: boolean): Promise<void> {
    this.#count += 1;
    const folder = join(this.#folder, `box-${this.#count}`);
    await mkdir(folder);
    for (const part of ['data', 'keys']) await cp(join(disk, part), join(folder, part), { recursive: true });
    const tpm = withTpm ? new SoftTpm(join(this.#folder, `tpm-${this.#count}`)) : undefined;
    if (tpm) this.#tpms.add(tpm);
    await this.#configure(folder, tpm);
    this.#machine = new Machine(folder, tpm);
    this.#machines.add(this.#machine);
  }

  /** Makes the keys of the box and has the security officer trust them, once. */
  async #prepareBox(): Promise<void> {
    const box = join(this.#folder, 'prepared');
    await mkdir(box);
    const keys = { keys: [await this.#kmsClient.call('signingKey', { use: 'leases' })] };
    await writeFile(join(this.#folder, 'kms-keys.json'), JSON.stringify(keys));
    const config = await this.#configure(box, undefined);
    const pem = join(this.#folder, 'box.pem');
    await writeFile(join(this.#folder, 'device.json'), await this.#run('device-keys', 'show', '--config', config, '--pem', pem, '--json'));
    await this.#run('kms-trust', 'add', pem, '--config', join(this.#folder, 'cloud', 'kms-trust.json'));
  }

  async #configure(folder: string, tpm: SoftTpm | undefined): Promise<string> {
    const config: ConfigInput = {
      dataDir: 'data',
      keyDir: 'keys',
      api: { port: 0 },
      inference: { workers: 1 },
      lease: {
        kmsKeys: join(this.#folder, 'kms-keys.json'),
        kmsSocket: this.#socket,
        ...(tpm && { tpm: { tcti: tpm.tcti, deviceKeys: 'file' } }),
      },
      tenants: [
        { id: LEASED, org: ORG, keys: 'lease' },
        { id: OTHER, org: ORG },
      ],
    };
    const file = join(folder, 'box.json');
    await writeFile(file, JSON.stringify(config), { mode: 0o600 });
    return file;
  }

  /** A command of `securegate`. @returns what it printed */
  async #run(...args: string[]): Promise<string> {
    const main = join(projectRoot(), 'provisioning', 'main.ts');
    const env = { ...process.env, ...this.#embedded?.kmsEnv };
    return (await promisify(execFile)(process.execPath, [main, ...args], { env })).stdout;
  }

  get #socket(): string {
    return join(this.#folder, 'cloud', 'run', 'kms.sock');
  }

  get #kmsClient(): KmsClient {
    if (this.#client === undefined) throw new Error('The site was not started');
    return this.#client;
  }
}
