import { PassThrough } from 'node:stream';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { Clock } from '../runtime/clock.ts';
import { type LeaseSettings, VaultClient } from '../vault/client.ts';
import type { BackupSource } from './backup-source.ts';
import { KeyringReplica } from './keyring-replica.ts';
import type { BackedUpTenant } from './manifest.ts';

export interface StoppedBoxOptions {
  readonly box: string;
  readonly tenants: BackupSource['tenants'];
  readonly dataDir: string;
  /** Replicas of the keyrings are brought up to date, where there are any. */
  readonly replicaDir?: string | undefined;
  readonly keyDir: string;
  /** How a tenant's key comes under a lease; undefined where it comes from a file. Without a network it takes a lease that was kept. */
  readonly leaseOf: (tenant: Pick<BackedUpTenant, 'id' | 'policy'>) => LeaseSettings | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A box whose daemon does not run: its vaults are opened one after the other, which also ends what a killed run began. */
export class StoppedBox implements BackupSource {
  readonly #options: StoppedBoxOptions;

  constructor(options: StoppedBoxOptions) {
    this.#options = options;
  }

  get box(): string {
    return this.#options.box;
  }

  get tenants(): BackupSource['tenants'] {
    return this.#options.tenants;
  }

  async *data(tenant: string): AsyncGenerator<Buffer> {
    const { box, dataDir, replicaDir, keyDir, leaseOf, clock, logger } = this.#options;
    const found = this.tenants.find(({ id }) => id === tenant);
    if (found === undefined) throw new SecureGateError('tenant_not_found', 'This box has no such tenant', { details: { tenant } });
    const vault = new VaultClient({ org: found.org, tenant, box, dataDir, keyDir, lease: leaseOf(found), clock, logger });
    await vault.start();
    const replica = replicaDir === undefined ? undefined : new KeyringReplica({ vault, box, tenant, dataDir, replicaDir, keyDir, logger });
    try {
      await replica?.follow();
      const bytes = new PassThrough();
      // What it fails with comes out of the stream.
      const copied = vault.copyData(bytes).catch(() => undefined);
      yield* bytes;
      await copied;
    } finally {
      await replica?.stop();
      await vault.stop();
    }
  }
}
