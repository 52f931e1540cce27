import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CloudClient, contentOf } from '../../../shared/cloud-client/create-cloud-client.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { CloudProcess } from '../../cloud/cloud-process.ts';
import { assignBox, enrolBox } from '../../cloud/enrol-box.ts';
import { foundOrg, type OrgAdmin } from '../../cloud/found-org.ts';
import { openCloud } from '../../cloud/open-cloud.ts';
import { securegate } from '../../cloud/securegate.ts';
import { guestConsent } from '../../demo/enrolment/guest-consent.ts';
import { within } from '../harness/within.ts';
import { DrillBox } from '../shred/drill-box.ts';

export const ORG = 'drill';
/** Tenant that was shredded before, one whose box lives, and one whose box is dead. */
export const TENANTS = { shredded: 'harbour-club', living: 'arena', lost: 'quay-hall' } as const;
const SAFES = ['safe-1.pem', 'safe-2.pem', 'safe-3.pem'];
export const QUORUM = 2;
const PATIENCE_MS = 90_000;

interface Boxes {
  readonly shredded: DrillBox;
  readonly living: DrillBox;
  readonly lost: DrillBox;
}

/** A throw-away deployment on loopback: KMS on SoftHSM2, control plane with its broker, and a box for each tenant. Leases live in memory. */
export class LossStack {
  #folder = '';
  #cloud: CloudProcess | undefined;
  #admin: OrgAdmin | undefined;
  #boxes: Boxes | undefined;
  #second = '';
  #orgKeys = '';

  get cloud(): CloudProcess {
    return made(this.#cloud);
  }

  get admin(): OrgAdmin {
    return made(this.#admin);
  }

  get boxes(): Boxes {
    return made(this.#boxes);
  }

  /** Fingerprint of the keys of the org, as its admin has it. */
  get orgKeys(): string {
    return this.#orgKeys;
  }

  /** Files of the recovery keys. */
  get safes(): string[] {
    return SAFES.map((name) => this.path(name));
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  /** @throws {SecureGateError} `hsm_unavailable` without SoftHSM2: there would be no HSM to lose */
  async provision(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'securegate-hsm-loss-'));
    this.#cloud = new CloudProcess(this.path('cloud'));
    await this.cloud.start();
    if (this.cloud.hsm !== 'SoftHSM2') throw new SecureGateError('hsm_unavailable', 'The drill needs SoftHSM2');
    this.#admin = await foundOrg(this.cloud, { org: ORG, tenants: Object.values(TENANTS), folder: this.#folder });
    const whom = ['--name', 'Bea', '--email', 'bea@drill.example', '--role', 'dpo'];
    this.#second = await this.command('cloud', 'users', 'create', ORG, ...whom);
    for (const file of this.safes) await securegate(['org-keys', 'new', file]);
    const { key } = this.admin;
    const quorum = ['--recovery', ...this.safes, '--recovery-quorum', String(QUORUM)];
    const told = await this.command('org-keys', 'pin', ORG, '--admin', key, ...quorum, '--signed-by', key);
    this.#orgKeys = told.split('\n').at(-1) ?? '';
  }

  async enrol(): Promise<void> {
    const box = (name: string): DrillBox => new DrillBox(this.#folder, name, false);
    this.#boxes = { shredded: box('shredded'), living: box('living'), lost: box('lost') };
    for (const [role, drilled] of Object.entries(this.boxes) as [keyof Boxes, DrillBox][]) {
      const tenant = TENANTS[role];
      await drilled.make();
      drilled.enrolled = await enrolBox(this.cloud, this.admin, { config: drilled.run.config, folder: this.#folder });
      await assignBox(this.admin, drilled.enrolled, tenant);
      await drilled.box.start();
      await this.opened(drilled, tenant);
      const { status } = await drilled.box.api.post(`/v1/tenants/${tenant}/customers`, {
        name: 'Ida Gast',
        consent: guestConsent(Date.now()),
      });
      if (status !== 201) throw new Error(`The ${role} box enrolled nobody: ${status}`);
    }
  }

  async opened(drilled: DrillBox, tenant: string): Promise<void> {
    const ready = async () => ((await drilled.lease(tenant))?.state === 'ready' ? true : undefined);
    await within(PATIENCE_MS, `${tenant} opens on the ${drilled.name} box`, ready);
  }

  client(): Promise<CloudClient> {
    return openCloud({ config: this.cloud.config, account: this.admin.account });
  }

  /** A command of `securegate`, as an admin of the org. */
  command(...args: string[]): Promise<string> {
    return securegate([...args, ...this.admin.options]);
  }

  /** Shreds a tenant, as two people have to agree, until its keys are destroyed. */
  async shred(tenant: string): Promise<void> {
    const told = await this.command('cloud', 'shreds', 'create', ORG, tenant, '--grace-minutes', '0', '--json');
    const { id } = JSON.parse(told) as { id: string };
    await this.command('cloud', 'shreds', 'approve', ORG, id);
    await securegate(['cloud', 'shreds', 'approve', ORG, id, '--config', this.cloud.config, '--account', this.#second]);
    const client = await this.client();
    await within(
      PATIENCE_MS,
      `the keys of ${tenant} are destroyed`,
      async () => {
        const { state } = await contentOf(client.GET('/v1/orgs/{org}/shreds/{id}', { params: { path: { org: ORG, id } } }));
        return state === 'telling' || state === 'done' || undefined;
      },
      500,
    );
  }

  /** Has the security officer of the HSM trust the key of a box. */
  async trust({ device }: DrillBox): Promise<void> {
    const client = await this.client();
    const pem = this.path(`${device}.pem`);
    // A control plane that has just started says that it has too much to do.
    const told = async (): Promise<string | undefined> => {
      const { data } = await client
        .GET('/v1/orgs/{org}/devices/{id}', { params: { path: { org: ORG, id: device } } })
        .catch(() => ({ data: undefined }));
      return data?.wrapKey;
    };
    await writeFile(pem, (await within(PATIENCE_MS, 'the control plane tells the key of a box', told, 500)).result);
    await securegate(['kms-trust', 'add', pem, '--config', this.cloud.trustConfig], { env: this.cloud.env });
  }

  /** Tenants whose keys the HSM lacks. */
  async lost(): Promise<string[]> {
    const told = JSON.parse(await this.command('cloud', 'recovery', 'lost', ORG, '--json')) as { tenant: string }[];
    return told.map(({ tenant }) => tenant);
  }

  async stop(): Promise<void> {
    for (const box of Object.values(this.#boxes ?? {})) await box.remove();
    await this.#cloud?.stop();
    if (this.#folder !== '') await rm(this.#folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

function made<Part>(part: Part | undefined): Part {
  if (part === undefined) throw new Error('The stack is not there yet');
  return part;
}
