import { writeFileSync } from 'node:fs';
import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LeaseStatus } from '../../../../edge/api/ports.ts';
import { Box } from '../../harness/box.ts';
import { enrol } from '../../harness/enrol.ts';
import { childrenOf } from '../../harness/find-vault.ts';
import { requireThat } from '../../harness/not-held.ts';
import { sabotage } from '../../harness/sabotage.ts';
import type { SoftTpm } from '../../harness/soft-tpm.ts';
import { within } from '../../harness/within.ts';
import { LEASE_MS, LEASED, OTHER } from './lease.ts';

const TENANTS = [LEASED, OTHER] as const;
/** What is on its disk, of all that lies in its folder. */
const DISK = ['data', 'keys'] as const;
/** The box tries again to reach its KMS after a minute at the latest. */
const PATIENCE_MS = 90_000;

/** A box with its disk, its clock and, where it has one, its TPM. Time passes for it as a drill wants. */
export class Machine {
  readonly folder: string;
  readonly tpm: SoftTpm | undefined;
  readonly #box: Box;
  /** Who is enrolled at each tenant. */
  readonly #guests = new Map<string, string>();
  #passed = 0;
  /** By how much its clock differs from the true one. */
  #clock = 0;

  constructor(folder: string, tpm: SoftTpm | undefined) {
    this.folder = folder;
    this.tpm = tpm;
    const imports = [sabotage('set-clock', join(folder, 'clock')), sabotage('pass-time', join(folder, 'passed'))];
    this.#box = new Box({ folder, living: [], imports });
  }

  async start(): Promise<void> {
    this.#tell();
    await this.tpm?.start();
    await this.#box.start();
  }

  /** Shuts it down in order. */
  async stop(): Promise<void> {
    await this.#box.stop();
    await this.tpm?.shutDown();
  }

  async reboot(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Takes the power away. */
  async cutPower(): Promise<void> {
    await this.#box.daemon.cutPower();
    await this.tpm?.cut();
  }

  async remove(): Promise<void> {
    await this.#box.remove();
  }

  /** Waits for its first lease, and enrols a guest at each tenant, by whom it is seen later whether they open. */
  async enrolGuests(): Promise<void> {
    await within(PATIENCE_MS, 'the first lease comes', async () => (await this.lease()).state === 'ready' || undefined);
    for (const tenant of TENANTS) this.#guests.set(tenant, await enrol(this.#box, tenant, tenant));
  }

  /** @param other of whose disk this one has a copy */
  knowGuestsOf(other: Machine): void {
    for (const [tenant, guest] of other.#guests) this.#guests.set(tenant, guest);
  }

  /** Lets time pass while it runs, for its vaults as well as for its clock. */
  async pass(ms: number): Promise<void> {
    this.#passed += ms;
    this.#clock += ms;
    this.#tell();
    const { pid } = this.#box.daemon;
    await within(PATIENCE_MS, 'time passes in every vault', async () => {
      const vaults = await childrenOf(pid);
      const told = await Promise.all(vaults.map((vault) => readFile(join(this.folder, `passed.${vault}`), 'utf8').catch(() => '')));
      return told.every((passed) => Number(passed) === this.#passed) || undefined;
    });
  }

  /** Sets its clock. @param at milliseconds since the Unix epoch */
  setClock(at: number): void {
    this.#clock = at - Date.now();
    this.#tell();
  }

  /** What its clock says, milliseconds since the Unix epoch. */
  get clock(): number {
    return Date.now() + this.#clock;
  }

  /** Its lease as `securegate lease show` tells it. */
  async lease(): Promise<LeaseStatus> {
    return (await this.#box.api.get(`/v1/tenants/${LEASED}/lease`)).body as LeaseStatus;
  }

  /** Lets more than half of its lease pass and reboots it, so that it asks for the next one. */
  async renew(): Promise<void> {
    const before = await this.lease();
    await this.pass(0.6 * LEASE_MS);
    await this.reboot();
    await within(PATIENCE_MS, 'the lease is renewed', async () => {
      const { renewedAt } = await this.lease();
      return (renewedAt !== null && renewedAt !== before.renewedAt) || undefined;
    });
  }

  /**
   * Waits until that is seen of the tenant under a lease. The other tenant must be open all the time.
   * @returns what is seen after all
   */
  async see(wanted: string): Promise<string> {
    requireThat((await this.#outcome(OTHER)) === 'open', 'the other tenant is not open');
    let seen = '';
    await within(PATIENCE_MS, wanted, async () => {
      seen = await this.#outcome(LEASED);
      return seen === wanted || undefined;
    }).catch(() => undefined);
    return seen;
  }

  /** Copies disk and TPM, for `putBackDisk` and `putBackTpm`. It must be switched off, as for these. */
  async keepImage(): Promise<void> {
    for (const part of DISK) await cp(join(this.folder, part), join(this.#image, part), { recursive: true });
    await this.tpm?.saveState(join(this.#image, 'tpm'));
  }

  async putBackDisk(): Promise<void> {
    for (const part of DISK) {
      await rm(join(this.folder, part), { recursive: true });
      await cp(join(this.#image, part), join(this.folder, part), { recursive: true });
    }
  }

  async putBackTpm(): Promise<void> {
    await this.tpm?.restoreState(join(this.#image, 'tpm'));
  }

  async #outcome(tenant: string): Promise<string> {
    const { status, body } = await this.#box.api.get(`/v1/tenants/${tenant}/customers/${this.#guests.get(tenant)}`);
    return status === 200 && body.name === tenant ? 'open' : String(body.code);
  }

  get #image(): string {
    return join(this.folder, 'image');
  }

  #tell(): void {
    writeFileSync(join(this.folder, 'clock'), String(this.#clock));
    writeFileSync(join(this.folder, 'passed'), String(this.#passed));
  }
}
