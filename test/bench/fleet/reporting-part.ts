import { verifyDesired } from '../../../edge/link/desired/verify-desired.ts';
import type { LinkPart } from '../../../edge/link/link-part.ts';
import type { Uplink } from '../../../edge/link/uplink.ts';
import type { Report, ReportedState } from '../../../shared/fleet/reported.ts';
import { newUlid } from '../../../shared/ids/ulid.ts';
import type { PublicKey } from '../../../shared/lease/public-key.ts';

export interface ReportingPartOptions {
  readonly device: string;
  readonly org: string;
  readonly uplink: Uplink;
  readonly commandKeys: readonly PublicKey[];
}

/** Says that the box is as it should be, whatever that is. */
export class ReportingPart implements LinkPart {
  readonly #options: ReportingPartOptions;
  #version: ReportedState['version'] = null;

  constructor(options: ReportingPartOptions) {
    this.#options = options;
  }

  readonly onConnect = (): void => void this.#report();

  readonly onDesired = async (payload: Buffer): Promise<void> => {
    const { device, org, commandKeys } = this.#options;
    const { jti: id, pair } = await verifyDesired(payload.toString('latin1'), device, org, commandKeys);
    this.#version = { id, ...pair };
    void this.#report();
  };

  async #report(): Promise<void> {
    const nothing = { tenants: [], cameras: [], shredded: [], models: null };
    const state: ReportedState = { version: this.#version, ...nothing, modelSet: 'bench', boxVersion: '0.0.0' };
    const report: Report = { report: newUlid(Date.now()), state };
    // Where it is lost, the control plane says again what the box should have.
    await this.#options.uplink.publish('reported', Buffer.from(JSON.stringify(report))).catch(() => undefined);
  }
}
