import { type KeyObject, sign } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { APPLIANCE_SCHEMA } from '../../../edge/appliance/appliance-schema.ts';
import { StoredCommands } from '../../../edge/appliance/stored-commands.ts';
import { LeaseRenewal } from '../../../edge/box/lease-renewal.ts';
import type { Executors } from '../../../edge/link/commands/executors.ts';
import { Link } from '../../../edge/link/link.ts';
import type { LinkPart } from '../../../edge/link/link-part.ts';
import { LinkLeaseCarrier } from '../../../edge/link/requests/link-lease-carrier.ts';
import { Requests } from '../../../edge/link/requests/requests.ts';
import type { Uplink } from '../../../edge/link/uplink.ts';
import type { Removed } from '../../../shared/fleet/ack.ts';
import { EXPORT_REQUEST_TYPE, KMS_AUDIENCE } from '../../../shared/lease/export-request.ts';
import type { PublicKey } from '../../../shared/lease/public-key.ts';
import { signJwt } from '../../../shared/lease/sign-jwt.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import { BackOff } from '../../../shared/runtime/back-off.ts';
import { WillingVault } from '../../helpers/willing-vault.ts';

/** A way to the control plane that can be lost, and comes back. */
export interface BenchUplink extends Uplink {
  readonly problem: string | null;
  start(): void;
  stop(): Promise<void>;
}

export interface BenchBoxOptions {
  readonly device: string;
  readonly uplink: BenchUplink;
  readonly commandKeys: readonly PublicKey[];
  readonly key: { readonly privateKey: KeyObject; readonly publicKey: PublicKey };
  /** One for each lease that it asks for. */
  readonly tenants: readonly string[];
  readonly onLease: () => void;
  /** What else speaks over its link. */
  readonly parts?: readonly LinkPart[];
  readonly logger: Logger;
}

const nothing = async (): Promise<undefined> => undefined;
/** A box ends a process and removes thousands of files; those of a bench would all do so in the same moment. */
const REMOVING_MS = 1000;
const REMOVED: Removed = { keyFiles: 3, dataFiles: 12, bytes: 4_000_000, customers: 0, tpmCounter: false };

/** A box with the product's own link and renewals, without the vaults and all that looks at pictures. */
export class BenchBox {
  readonly #uplink: BenchUplink;
  readonly #link: Link;
  readonly #renewals: readonly LeaseRenewal[];
  readonly #request: (tenant: string, nonce: string) => Promise<string>;
  readonly #carrier: LinkLeaseCarrier;
  /** Called when a command has come that means nothing. */
  onSync: () => void = () => undefined;
  /** Called when a command has come to remove a tenant. */
  onShred: (tenant: string) => void = () => undefined;
  /** Called when the control plane has kept its last word on a command. @param word its hash */
  onKept: (word: string) => void = () => undefined;

  constructor({ device, uplink, commandKeys, key, tenants, onLease, parts = [], logger }: BenchBoxOptions) {
    const { publicKey, privateKey } = key;
    const signToken = (type: string, claims: object): Promise<string> =>
      signJwt(type, claims, publicKey, async (input) => sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
    this.#uplink = uplink;
    const requests = new Requests({ uplink, now: Date.now, monotonic: () => performance.now() });
    this.#carrier = new LinkLeaseCarrier(requests);
    const disk = new Database(':memory:');
    for (const step of APPLIANCE_SCHEMA) disk.exec(step);
    this.#link = new Link({
      device,
      uplink,
      commandKeys: () => commandKeys,
      journal: new StoredCommands(disk),
      executors: this.#executors,
      sign: signToken,
      key: publicKey,
      keys: async () => [],
      now: Date.now,
      waits: () => new BackOff(2000, 300_000),
      parts: [requests, { onReply: { 'ack-kept': ({ digest }) => this.onKept(digest) } }, ...parts],
      logger,
    });
    // What opens the answer is not measured here: any point of the curve does.
    const hpke = Buffer.alloc(32, 9).toString('base64url');
    this.#request = (tenant, nonce) =>
      signToken(EXPORT_REQUEST_TYPE, { aud: KMS_AUDIENCE, sub: device, org: 'acme', tenant, epoch: 1, hpke, nonce });
    this.#renewals = tenants.map((tenant) => {
      const vault = new WillingVault((nonce) => this.#request(tenant, nonce), onLease);
      return new LeaseRenewal({ tenant, vault, carrier: this.#carrier, random: Math.random, logger });
    });
  }

  readonly #executors: Executors = {
    'renew-lease': nothing,
    'revoke-lease': nothing,
    'restart-tenant': nothing,
    'erase-customers': nothing,
    sync: async () => this.onSync(),
    'shred-tenant': async ({ tenant }) => {
      this.onShred(tenant);
      await pause(REMOVING_MS * (0.5 + Math.random()));
      return REMOVED;
    },
  };

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

  /** Asks for a lease once. */
  async lease(tenant: string): Promise<void> {
    await this.#carrier.export(await this.#request(tenant, await this.#carrier.challenge()));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#renewals.map((renewal) => renewal.stop()), this.#link.stop(), this.#uplink.stop()]);
  }
}
