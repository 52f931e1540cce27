import { setTimeout as pause } from 'node:timers/promises';
import { type CloudClient, contentOf } from '../../../shared/cloud-client/create-cloud-client.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { CommandKind } from '../../../shared/fleet/command.ts';
import type { EdgeEvent } from '../../../shared/messages/events.ts';
import { CloudProcess } from '../../cloud/cloud-process.ts';
import { foundOrg, type OrgAdmin } from '../../cloud/found-org.ts';
import { openCloud } from '../../cloud/open-cloud.ts';
import { BoxApi } from '../daemon/box-api.ts';
import { DaemonProcess, type ProcessEnd } from '../daemon/daemon-process.ts';
import { ToldEvents } from '../daemon/told-events.ts';
import { CAMERAS, TENANTS } from '../footage/script.ts';
import { limit } from '../limit.ts';
import { ORG, type RunFolder, readAdminToken, UNMATCHED_TTL_MS } from '../run-folder.ts';
import type { CameraCount } from '../score/compare-counts.ts';
import { assignBox, type EnrolledBox, enrolBox } from './enrol-box.ts';

/** Longest time for whatever control plane and box have to bring about together. */
const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 200;
const DAY_MS = 86_400_000;

export interface CloudVenueOptions {
  readonly run: RunFolder;
  readonly onEvent: (event: EdgeEvent) => void;
  /** Takes a line for people. */
  readonly say: (line: string) => void;
  /** Aborted when it is to end early. */
  readonly signal: AbortSignal;
}

/** How long it took, milliseconds. */
export interface Opening {
  /** From the token to the box's own certificate. */
  readonly enrolledMs: number;
  /** From the start of the daemon until both tenants are open under leases. */
  readonly leasedMs: number;
}

/** The demo's two venues with a cloud: a box that knows nothing but its control plane, and a control plane that never hears a name. */
export class CloudVenue {
  readonly cloud: CloudProcess;
  readonly #options: CloudVenueOptions;
  readonly #told = new ToldEvents();
  readonly #daemon: DaemonProcess;
  #ended: Promise<ProcessEnd> | undefined;
  #admin: OrgAdmin | undefined;
  #box: EnrolledBox | undefined;

  constructor(options: CloudVenueOptions) {
    const { run, onEvent } = options;
    this.#options = options;
    this.cloud = new CloudProcess(run.cloud);
    const take = (event: EdgeEvent): void => {
      this.#told.add(event);
      onEvent(event);
    };
    this.#daemon = new DaemonProcess({ configFile: run.config, logFile: run.log, onEvent: take });
  }

  /** From nothing to two tenants that are open. @throws {SecureGateError} `demo_failed`, `stopped` */
  async open(): Promise<Opening> {
    const { run, say } = this.#options;
    this.#step('starting KMS, control plane and broker');
    await this.cloud.start();
    say(this.cloud.hsm === 'SoftHSM2' ? 'tenant keys are made in SoftHSM2' : 'there is no SoftHSM2 here: tenant keys are in a sealed file');
    this.#step('making an org, its admin with keys of his own, and two tenants, whose keys are made in the HSM');
    this.#admin = await foundOrg(this.cloud, { org: ORG, tenants: TENANTS, folder: run.path });
    await this.#setPolicies();
    this.#step('enrolling the box by a token');
    const began = performance.now();
    this.#box = await enrolBox(this.cloud, this.#admin, run.config, run.path);
    const enrolledMs = performance.now() - began;
    this.#step('letting the box have the keys of both tenants, by what the admin signs');
    for (const tenant of TENANTS) await assignBox(this.#admin, this.#box, tenant);
    this.#step('starting the box, and waiting for its leases; it loads the models first');
    return { enrolledMs, leasedMs: await this.#startBox() };
  }

  get admin(): OrgAdmin {
    if (this.#admin === undefined) throw new Error('The venue is not open');
    return this.#admin;
  }

  /** Id of the box. */
  get device(): string {
    if (this.#box === undefined) throw new Error('The venue is not open');
    return this.#box.device;
  }

  /** Kept when the daemon has ended. */
  get ended(): Promise<ProcessEnd> {
    if (this.#ended === undefined) throw new Error('The daemon was not started');
    return this.#ended;
  }

  /** Where the API of the box is, and it as its operator uses it. */
  async box(): Promise<{ readonly url: string; readonly api: BoxApi }> {
    const { api: url } = await this.#told.until('ready');
    return { url, api: new BoxApi(url, await readAdminToken(this.#options.run)) };
  }

  /** The API of the control plane, for ten minutes, as the org's admin. */
  client(): Promise<CloudClient> {
    return openCloud({ config: this.cloud.config, account: this.admin.account });
  }

  /** Has the control plane tell the box of its cameras. @param urls address of the stream by the camera's id */
  async giveCameras(urls: Readonly<Record<string, string>>): Promise<void> {
    const client = await this.client();
    for (const { id: slug, tenant } of CAMERAS) {
      const body = { device: this.device, slug, url: urls[slug] ?? '' };
      await client.POST('/v1/orgs/{org}/tenants/{tenant}/cameras', { params: { path: { org: ORG, tenant } }, body });
    }
  }

  /** Tells the box to do something for each tenant. @returns how many commands it has done, by its own signed word */
  async command(kind: CommandKind & ('renew-lease' | 'restart-tenant')): Promise<number> {
    const client = await this.client();
    const path = { org: ORG };
    const states = TENANTS.map(async (tenant) => {
      const body = { device: this.device, order: { kind, body: { tenant } } };
      const { id } = await contentOf(client.POST('/v1/orgs/{org}/commands', { params: { path }, body }));
      await this.#until(`the command ${kind} is done`, async () => {
        const { state } = await contentOf(client.GET('/v1/orgs/{org}/commands/{id}', { params: { path: { ...path, id } } }));
        return state === 'SUCCEEDED';
      });
      const { items } = await contentOf(client.GET('/v1/orgs/{org}/receipts', { params: { path, query: { command: id } } }));
      return items.length;
    });
    return (await Promise.all(states)).reduce((sum, receipts) => sum + receipts, 0);
  }

  /** Sightings as the cloud has counted them today. */
  async counts(): Promise<CameraCount[]> {
    const client = await this.client();
    const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
    // The day may have changed since the first of them.
    const query = { from: day(Date.now() - DAY_MS), to: day(Date.now()) };
    const calls = TENANTS.map((tenant) =>
      contentOf(client.GET('/v1/orgs/{org}/tenants/{tenant}/sighting-counts', { params: { path: { org: ORG, tenant }, query } })),
    );
    return (await Promise.all(calls)).flatMap(({ counts }) => counts);
  }

  /** Takes the box's power away. */
  async cutPower(): Promise<void> {
    this.#daemon.kill('SIGKILL');
    await this.#ended;
  }

  /** Runs on until the signal, and stops the box in order then. @throws {SecureGateError} `demo_failed` where it ends otherwise */
  async untilStopped(): Promise<void> {
    const { signal } = this.#options;
    const stop = (): void => this.#daemon.kill('SIGTERM');
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    const end = await this.ended;
    if (!signal.aborted || end !== 0) throw new SecureGateError('demo_failed', `The daemon ended early (${end})`);
  }

  /** Ends whatever still runs. */
  async stop(): Promise<void> {
    await this.cutPower();
    await this.cloud.stop();
  }

  /** @returns how long it took, milliseconds */
  async #startBox(): Promise<number> {
    const { signal } = this.#options;
    const began = performance.now();
    this.#ended = this.#daemon.start().then((end) => {
      this.#told.end(new SecureGateError('demo_failed', `The daemon ended early (${end})`));
      return end;
    });
    const leased = this.#told.until('stats', ({ vaults }) =>
      TENANTS.every((id) => vaults.some(({ tenant, state, lease }) => tenant === id && state === 'ready' && lease !== null)),
    );
    await Promise.race([leased, limit(signal, PATIENCE_MS, 'The tenants got no lease in time')]);
    return performance.now() - began;
  }

  async #setPolicies(): Promise<void> {
    const client = await this.client();
    const body = { policies: { unmatchedTtlMs: UNMATCHED_TTL_MS } };
    for (const tenant of TENANTS) await client.PATCH('/v1/orgs/{org}/tenants/{tenant}', { params: { path: { org: ORG, tenant } }, body });
  }

  async #until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const late = performance.now() + PATIENCE_MS;
    while (!(await holds())) {
      this.#goOn();
      if (performance.now() > late) throw new SecureGateError('demo_failed', `Not within ${PATIENCE_MS / 1000} s: ${what}`);
      await pause(LOOK_EVERY_MS);
    }
  }

  #step(line: string): void {
    this.#goOn();
    this.#options.say(line);
  }

  #goOn(): void {
    if (this.#options.signal.aborted) throw new SecureGateError('stopped', 'The demo was interrupted');
  }
}
