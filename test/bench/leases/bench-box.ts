import type { KeyObject } from 'node:crypto';
import { sign } from 'node:crypto';
import Database from 'better-sqlite3';
import { APPLIANCE_SCHEMA } from '../../../edge/appliance/appliance-schema.ts';
import { StoredCommands } from '../../../edge/appliance/stored-commands.ts';
import { LeaseRenewal } from '../../../edge/box/lease-renewal.ts';
import type { Executors } from '../../../edge/link/commands/executors.ts';
import { Link } from '../../../edge/link/link.ts';
import { MqttUplink } from '../../../edge/link/mqtt-uplink.ts';
import { LinkLeaseCarrier } from '../../../edge/link/requests/link-lease-carrier.ts';
import { Requests } from '../../../edge/link/requests/requests.ts';
import { EXPORT_REQUEST_TYPE, KMS_AUDIENCE } from '../../../shared/lease/export-request.ts';
import type { PublicKey } from '../../../shared/lease/public-key.ts';
import { signJwt } from '../../../shared/lease/sign-jwt.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import type { ClientCredentials } from '../../../shared/mqtt/open-broker.ts';
import { BackOff } from '../../../shared/runtime/back-off.ts';
import { WillingVault } from '../../helpers/willing-vault.ts';

export interface BenchBoxOptions {
  readonly device: string;
  readonly url: string;
  readonly credentials: ClientCredentials;
  readonly commandKeys: readonly PublicKey[];
  readonly key: { readonly privateKey: KeyObject; readonly publicKey: PublicKey };
  /** One for each lease that it asks for. */
  readonly tenants: readonly string[];
  readonly onLease: () => void;
  readonly logger: Logger;
}

const nothing = async (): Promise<undefined> => undefined;
const NOTHING: Executors = {
  'renew-lease': nothing,
  'revoke-lease': nothing,
  'restart-tenant': nothing,
  'shred-tenant': nothing,
  'erase-customers': nothing,
  sync: nothing,
};

/** A box with the product's own link and renewals, without the vaults and all that looks at pictures. */
export class BenchBox {
  readonly #uplink: MqttUplink;
  readonly #link: Link;
  readonly #renewals: readonly LeaseRenewal[];
  /** Called when a command has come. */
  onCommand: () => void = () => undefined;

  constructor({ device, url, credentials, commandKeys, key, tenants, onLease, logger }: BenchBoxOptions) {
    const { publicKey, privateKey } = key;
    const signToken = (type: string, claims: object): Promise<string> =>
      signJwt(type, claims, publicKey, async (input) => sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
    this.#uplink = new MqttUplink({
      device,
      url: () => new URL(url),
      credentials: () => ({ ...credentials, key: Buffer.from(credentials.key) }),
      random: Math.random,
      logger,
    });
    const requests = new Requests({ uplink: this.#uplink, now: Date.now, monotonic: () => performance.now() });
    const carrier = new LinkLeaseCarrier(requests);
    const disk = new Database(':memory:');
    for (const step of APPLIANCE_SCHEMA) disk.exec(step);
    this.#link = new Link({
      device,
      uplink: this.#uplink,
      commandKeys: () => commandKeys,
      journal: new StoredCommands(disk),
      executors: { ...NOTHING, sync: async () => this.onCommand() },
      sign: signToken,
      key: publicKey,
      keys: async () => [],
      now: Date.now,
      waits: () => new BackOff(2000, 300_000),
      parts: [requests],
      logger,
    });
    // What opens the answer is not measured here: any point of the curve does.
    const hpke = Buffer.alloc(32, 9).toString('base64url');
    this.#renewals = tenants.map((tenant) => {
      const claims = { aud: KMS_AUDIENCE, sub: device, org: 'acme', tenant, epoch: 1, hpke };
      const vault = new WillingVault((nonce) => signToken(EXPORT_REQUEST_TYPE, { ...claims, nonce }), onLease);
      return new LeaseRenewal({ tenant, vault, carrier, random: Math.random, logger });
    });
  }

  get connected(): boolean {
    return this.#uplink.problem === null;
  }

  async start(): Promise<void> {
    await this.#link.start();
    this.#uplink.start();
  }

  /** All its tenants need a lease, now. */
  renew(): void {
    for (const renewal of this.#renewals) renewal.start();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#renewals.map((renewal) => renewal.stop()), this.#link.stop(), this.#uplink.stop()]);
  }
}
