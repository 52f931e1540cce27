import { type CloudClient, contentOf } from '../../../shared/cloud-client/create-cloud-client.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { EdgeEvent } from '../../../shared/messages/events.ts';
import { CloudProcess } from '../../cloud/cloud-process.ts';
import { assignBox, type EnrolledBox, enrolBox } from '../../cloud/enrol-box.ts';
import { foundOrg, type OrgAdmin } from '../../cloud/found-org.ts';
import { openCloud } from '../../cloud/open-cloud.ts';
import { BoxApi } from '../daemon/box-api.ts';
import { DaemonProcess, type ProcessEnd } from '../daemon/daemon-process.ts';
import { ToldEvents } from '../daemon/told-events.ts';
import { TENANTS } from '../footage/script.ts';
import { limit } from '../limit.ts';
import { ORG, type RunFolder, readAdminToken, UNMATCHED_TTL_MS } from '../run-folder.ts';

/** Longest time from the start of the box to its leases. */
const PATIENCE_MS = 60_000;

export interface CloudVenueOptions {
  readonly run: RunFolder;
  readonly onEvent: (event: EdgeEvent) => void;
  /** Takes a line for people. */
  readonly say: (line: string) => void;
  /** Aborted when it is to end early. */
  readonly signal: AbortSignal;
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

  /**
   * From nothing to two tenants that are open under leases.
   * @returns how long the box took, from its start until they were, milliseconds
   * @throws {SecureGateError} `demo_failed`, `stopped`, and what keeps control plane and KMS from starting
   */
  async open(): Promise<number> {
    const { run, say } = this.#options;
    this.#step('starting KMS, control plane and broker');
    await this.cloud.start();
    say(
      this.cloud.hsm === 'SoftHSM2'
        ? 'tenant keys are made in SoftHSM2'
        : 'there is no SoftHSM2 here, or no g++ to build what speaks to it: tenant keys are in a sealed file',
    );
    this.#step('making an org, its admin with keys of his own, and two tenants, whose keys the KMS makes');
    this.#admin = await foundOrg(this.cloud, { org: ORG, tenants: TENANTS, folder: run.path });
    await this.#setPolicies();
    this.#step('enrolling the box by a token');
    this.#box = await enrolBox(this.cloud, this.#admin, { config: run.config, folder: run.path });
    this.#step('letting the box have the keys of both tenants, by what the admin signs');
    for (const tenant of TENANTS) await assignBox(this.#admin, this.#box, tenant);
    this.#step('starting the box: it loads its models, hears of its tenants and waits for their leases');
    return await this.#startBox();
  }

  get admin(): OrgAdmin {
    return opened(this.#admin);
  }

  /** The box as the control plane knows it. */
  get enrolled(): EnrolledBox {
    return opened(this.#box);
  }

  /** Kept when the daemon has ended. */
  get ended(): Promise<ProcessEnd> {
    return opened(this.#ended);
  }

  /** Where the API of the box is, and it as its operator uses it. */
  async box(): Promise<{ readonly url: string; readonly api: BoxApi }> {
    const { api: url } = await this.#told.until('ready');
    return { url, api: new BoxApi(url, await readAdminToken(this.#options.run)) };
  }

  /** The API of the control plane as the org's admin, for ten minutes. */
  client(): Promise<CloudClient> {
    return openCloud({ config: this.cloud.config, account: this.admin.account });
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

  async #setPolicies(): Promise<void> {
    const client = await this.client();
    const body = { policies: { unmatchedTtlMs: UNMATCHED_TTL_MS } };
    for (const tenant of TENANTS) {
      await contentOf(client.PATCH('/v1/orgs/{org}/tenants/{tenant}', { params: { path: { org: ORG, tenant } }, body }));
    }
  }

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
    await Promise.race([leased, limit(signal, PATIENCE_MS, 'The tenants of the box got no lease in time')]);
    return performance.now() - began;
  }

  #step(line: string): void {
    if (this.#options.signal.aborted) throw new SecureGateError('stopped', 'The demo was interrupted');
    this.#options.say(line);
  }
}

function opened<Part>(part: Part | undefined): Part {
  if (part === undefined) throw new Error('The venue is not open');
  return part;
}
