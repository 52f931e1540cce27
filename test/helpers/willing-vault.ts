import type { LeaseRenewalOptions } from '../../edge/box/lease-renewal.ts';
import type { LeaseView, VaultState } from '../../edge/vault/client.ts';

const DAY_MS = 86_400_000;

type Vault = LeaseRenewalOptions['vault'];

/** A vault as far as its leases go: it signs its requests, and does not open what comes. */
export class WillingVault implements Vault {
  state: VaultState = 'closed';
  readonly epoch = 1;
  readonly #request: (nonce: string) => Promise<string>;
  readonly #onLease: () => void;
  readonly #view: LeaseView = {
    epoch: 1,
    newest: 1,
    enforcement: 'memory',
    issuedAt: Date.now(),
    endsAt: Date.now() + DAY_MS,
    leftMs: DAY_MS,
  };

  constructor(request: (nonce: string) => Promise<string>, onLease: () => void) {
    this.#request = request;
    this.#onLease = onLease;
  }

  onStateChange = (): (() => void) => () => undefined;
  requestLease = (nonce: string): Promise<string> => this.#request(nonce);
  lease = async (): Promise<LeaseView> => this.#view;
  acceptLease = async (): Promise<LeaseView> => {
    this.state = 'ready';
    this.#onLease();
    return this.#view;
  };
  start = async (): Promise<void> => undefined;
  moveEpoch = async (): Promise<{ epoch: number; moved: boolean }> => ({ epoch: 1, moved: false });
  sayMoved = async (): Promise<string> => '';
  revoke = async (): Promise<void> => undefined;
}
