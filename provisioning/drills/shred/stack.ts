import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CloudClient, contentOf } from '../../../shared/cloud-client/create-cloud-client.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { CloudProcess } from '../../cloud/cloud-process.ts';
import { assignBox, enrolBox } from '../../cloud/enrol-box.ts';
import { foundOrg, type OrgAdmin } from '../../cloud/found-org.ts';
import { openCloud } from '../../cloud/open-cloud.ts';
import { securegate } from '../../cloud/securegate.ts';
import { type RunningCameras, startCameras } from '../../demo/camera/start-cameras.ts';
import { describeForBox } from '../../demo/cloud/describe-for-box.ts';
import { enrolByApi } from '../../demo/enrolment/enrol-by-api.ts';
import { FRAME, TENANTS } from '../../demo/footage/script.ts';
import type { Prepared } from '../../demo/prepare.ts';
import { hasSoftTpm } from '../harness/soft-tpm.ts';
import { within } from '../harness/within.ts';
import { DrillBox } from './drill-box.ts';

export const ORG = 'drill';
/** Tenant that is shredded, and the other one, who must not notice. */
export const [SHREDDED, SPARED] = TENANTS;
/** Long enough to be seen to last while the box is away, and short enough to wait for its end. */
const SHORT_LEASE_HOURS = 90 / 3600;
const DAY_HOURS = 24;
const PATIENCE_MS = 90_000;

/** Camera of each tenant, by box. */
const CAMERAS = {
  near: { [SHREDDED]: 'harbour-door', [SPARED]: 'arena-gate' },
  far: { [SHREDDED]: 'harbour-bar', [SPARED]: 'arena-foyer' },
} as const;

/**
 * A throw-away deployment on loopback: KMS on SoftHSM2, control plane with its broker, and two boxes with cameras of both tenants. The near box
 * keeps its leases in memory; the far one has a TPM, where there is swtpm, that keeps those of the tenant that is shredded.
 */
export class Stack {
  readonly #prepared: Prepared;
  #folder = '';
  #cloud: CloudProcess | undefined;
  #admin: OrgAdmin | undefined;
  #second = '';
  #cameras: RunningCameras | undefined;
  #boxes: { readonly near: DrillBox; readonly far: DrillBox } | undefined;

  constructor(prepared: Prepared) {
    this.#prepared = prepared;
  }

  get cloud(): CloudProcess {
    return made(this.#cloud);
  }

  get admin(): OrgAdmin {
    return made(this.#admin);
  }

  get near(): DrillBox {
    return made(this.#boxes).near;
  }

  get far(): DrillBox {
    return made(this.#boxes).far;
  }

  get boxes(): DrillBox[] {
    return [this.near, this.far];
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  /** @throws {SecureGateError} `hsm_unavailable` without SoftHSM2: keys in a file can be copied, and nothing would be proved */
  async provision(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'securegate-shred-'));
    this.#cloud = new CloudProcess(this.path('cloud'));
    await this.cloud.start();
    if (this.cloud.hsm !== 'SoftHSM2') throw new SecureGateError('hsm_unavailable', 'The drill needs SoftHSM2');
    this.#admin = await foundOrg(this.cloud, { org: ORG, tenants: TENANTS, folder: this.#folder });
    const whom = ['--name', 'Bea', '--email', 'bea@drill.example', '--role', 'dpo'];
    this.#second = await securegate(['cloud', 'users', 'create', ORG, ...whom, ...this.admin.options]);
  }

  async enrol(): Promise<void> {
    this.#boxes = {
      near: new DrillBox(this.#folder, 'near', false),
      far: new DrillBox(this.#folder, 'far', hasSoftTpm),
    };
    for (const box of this.boxes) {
      await box.make();
      box.enrolled = await enrolBox(this.cloud, this.admin, { config: box.run.config, folder: this.#folder });
      const enforcement = box.tpm ? 'tpm' : 'memory';
      const terms = box === this.far ? ({ hours: SHORT_LEASE_HOURS, enforcement } as const) : undefined;
      await assignBox(this.admin, box.enrolled, SHREDDED, terms);
      await assignBox(this.admin, box.enrolled, SPARED, { hours: DAY_HOURS, enforcement: 'memory' });
    }
    const described = await describeForBox({ ...this.near.run, config: this.path('describing.json') }, this.#prepared.photo);
    for (const box of this.boxes) {
      await box.box.start();
      for (const tenant of TENANTS)
        await within(
          PATIENCE_MS,
          `${tenant} opens on the ${box.name} box`,
          async () => (await box.lease(tenant))?.state === 'ready' || undefined,
        );
      box.guests = await enrolByApi(box.box.api, described, Date.now());
    }
  }

  /** Shows footage of both tenants to both boxes, until each has recognised somebody of each. */
  async recognise(): Promise<void> {
    this.#cameras = await startCameras({ videos: Object.fromEntries(this.#prepared.footage), fps: FRAME.fps, end: 'loop' });
    const client = await this.client();
    for (const box of this.boxes) {
      for (const tenant of TENANTS) {
        const slug = CAMERAS[box === this.near ? 'near' : 'far'][tenant];
        const url = this.#cameras.urls[slug] ?? '';
        const params = { path: { org: ORG, tenant } };
        await client.POST('/v1/orgs/{org}/tenants/{tenant}/cameras', { params, body: { device: box.device, slug, url } });
      }
    }
    for (const box of this.boxes) for (const tenant of TENANTS) await this.recognised(box, tenant, 0);
  }

  /** Waits until a box has recognised somebody. @param from place in its events */
  async recognised(box: DrillBox, tenant: string, from: number): Promise<void> {
    await within(
      PATIENCE_MS,
      `the ${box.name} box recognises a guest of ${tenant}`,
      () =>
        box.box.daemon.events
          .slice(from)
          .some((event) => event.type === 'sighting' && event.tenant === tenant && event.outcome === 'person') || undefined,
    );
  }

  /** The API of the control plane as an admin of the org. */
  client(): Promise<CloudClient> {
    return openCloud({ config: this.cloud.config, account: this.admin.account });
  }

  /** A command of `securegate`, as an admin. */
  command(...args: string[]): Promise<string> {
    return securegate([...args, ...this.admin.options]);
  }

  /** Shreds a tenant, as two people have to agree. @returns id of the shred */
  async shred(tenant: string): Promise<string> {
    const { id } = JSON.parse(await this.command('cloud', 'shreds', 'create', ORG, tenant, '--grace-minutes', '0', '--json')) as {
      id: string;
    };
    const platform = ['--config', this.cloud.config, '--account', this.#second];
    await this.command('cloud', 'shreds', 'approve', ORG, id);
    await securegate(['cloud', 'shreds', 'approve', ORG, id, ...platform]);
    return id;
  }

  /** Erases one person, by all the ids that boxes know him by. @returns id of the erasure */
  async erase(tenant: string, customers: string[]): Promise<string> {
    const call = (await this.client()).POST('/v1/orgs/{org}/tenants/{tenant}/erasures', {
      params: { path: { org: ORG, tenant } },
      body: { customers },
    });
    return (await contentOf(call)).id;
  }

  /** What became of a box by a shred. */
  async shredOn(id: string, box: DrillBox): Promise<string | undefined> {
    const call = (await this.client()).GET('/v1/orgs/{org}/shreds/{id}', { params: { path: { org: ORG, id } } });
    return (await contentOf(call)).boxes.find(({ device }) => device === box.device)?.state;
  }

  async erasureOn(id: string, box: DrillBox): Promise<string | undefined> {
    const call = (await this.client()).GET('/v1/orgs/{org}/erasures/{id}', { params: { path: { org: ORG, id } } });
    return (await contentOf(call)).boxes.find(({ device }) => device === box.device)?.state;
  }

  async stop(): Promise<void> {
    for (const box of this.#boxes === undefined ? [] : this.boxes) await box.remove();
    await this.#cameras?.stop();
    await this.#cloud?.stop();
    if (this.#folder !== '') await rm(this.#folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

function made<Part>(part: Part | undefined): Part {
  if (part === undefined) throw new Error('The stack is not there yet');
  return part;
}
