import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LeaseStatus } from '../../../edge/api/ports.ts';
import type { ConfigInput } from '../../../edge/config/schema.ts';
import type { EnrolledBox } from '../../cloud/enrol-box.ts';
import type { EnrolledGuest } from '../../demo/enrolment/enrol-guests.ts';
import type { RunFolder } from '../../demo/run-folder.ts';
import { Box } from '../harness/box.ts';
import { sabotage } from '../harness/sabotage.ts';
import { SoftTpm } from '../harness/soft-tpm.ts';

/** A box of the drill, which can be cut off from its network while it runs on. */
export class DrillBox {
  readonly name: string;
  readonly run: RunFolder;
  readonly box: Box;
  readonly tpm: SoftTpm | undefined;
  readonly #cut: string;
  enrolled: EnrolledBox | undefined;
  guests: readonly EnrolledGuest[] = [];

  /** @param folder of the drill */
  constructor(folder: string, name: string, withTpm: boolean) {
    const path = join(folder, name);
    this.name = name;
    this.run = {
      path,
      data: join(path, 'data'),
      cloud: join(folder, 'cloud'),
      config: join(path, 'box.json'),
      log: join(path, 'daemon.log'),
    };
    // Its state is a root of trust: it lies where nothing is copied.
    this.tpm = withTpm ? new SoftTpm(join(folder, `${name}-tpm`)) : undefined;
    this.#cut = join(folder, `${name}-is-cut`);
    this.box = new Box({ folder: path, living: [], imports: [sabotage('cut-network', this.#cut)] });
  }

  async make(): Promise<void> {
    for (const part of ['data', 'keys']) await mkdir(join(this.run.path, part), { recursive: true, mode: 0o700 });
    await this.tpm?.start();
    const tpm = this.tpm && { lease: { tpm: { tcti: this.tpm.tcti } } };
    const config: ConfigInput = { dataDir: 'data', keyDir: 'keys', api: { port: 0 }, inference: { workers: 1 }, ...tpm };
    await writeFile(this.run.config, JSON.stringify(config), { mode: 0o600 });
  }

  get device(): string {
    if (this.enrolled === undefined) throw new Error('The box is not enrolled');
    return this.enrolled.device;
  }

  async cutNetwork(): Promise<void> {
    await writeFile(this.#cut, '');
  }

  async joinNetwork(): Promise<void> {
    await rm(this.#cut);
  }

  /** Null where it does not know such a tenant. */
  async lease(tenant: string): Promise<LeaseStatus | null> {
    const { status, body } = await this.box.api.get(`/v1/tenants/${tenant}/lease`);
    return status === 200 ? (body as LeaseStatus) : null;
  }

  /** His id at this box. */
  idOf(name: string): string {
    const guest = this.guests.find((one) => one.name === name);
    if (guest === undefined) throw new RangeError('No such guest');
    return guest.customerId;
  }

  log(): Promise<string> {
    return readFile(this.run.log, 'utf8');
  }

  async remove(): Promise<void> {
    await this.box.remove();
    await this.tpm?.cut();
  }
}
