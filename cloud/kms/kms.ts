import { join } from 'node:path';
import type { Logger } from '../../shared/log/create-logger.ts';
import { RunningParts } from '../../shared/runtime/running-parts.ts';
import type { Audit } from './audit/audit.ts';
import { FileAudit } from './audit/file-audit.ts';
import type { KmsConfig } from './config/schema.ts';
import { Epochs } from './epochs/epochs.ts';
import { Moves } from './epochs/moves.ts';
import { Challenges } from './export/challenges.ts';
import { Exports } from './export/exports.ts';
import { openHsm } from './hsm/open-hsm.ts';
import { KmsServer } from './listen/kms-server.ts';
import type { Listener } from './listen/listener.ts';
import { TlsListener } from './listen/tls-listener.ts';
import { UnixListener } from './listen/unix-listener.ts';
import { KmsOperations } from './operations.ts';
import { Orders } from './orders/orders.ts';
import { Recoveries } from './recovery/recoveries.ts';
import { RollbackGuard } from './rollback-guard.ts';
import { SigningKeys } from './signing/signing-keys.ts';
import { openKmsStore } from './store/open-kms-store.ts';

export interface KmsOptions {
  readonly config: KmsConfig;
  readonly now: () => number;
  /** Milliseconds since some time, set by nobody. */
  readonly monotonic: () => number;
  readonly random: (size: number) => Buffer;
  readonly logger: Logger;
}

/** The KMS put together. */
export class Kms {
  readonly #options: KmsOptions;
  readonly #running: RunningParts;

  constructor(options: KmsOptions) {
    this.#options = options;
    this.#running = new RunningParts(options.logger);
  }

  /** @throws {SecureGateError} `config_invalid`, `data_folder_in_use`, `storage_failed`, `secret_file_unsafe`, `hsm_unavailable`, `hsm_unsuitable`, `records_rolled_back` */
  async start(): Promise<void> {
    await this.#running.begin(() => this.#start());
  }

  async stop(): Promise<void> {
    await this.#running.end();
  }

  async #start(): Promise<void> {
    const { config, now, monotonic, random, logger } = this.#options;
    const store = openKmsStore(config.dataDir);
    this.#running.add(() => store.close());
    const hsm = await openHsm(config.hsm);
    await hsm.start();
    this.#running.add(() => hsm.stop());
    // Made here, so that no export waits for it.
    await hsm.signingKey('leases');
    const audit: Audit = new FileAudit(join(config.dataDir, 'audit.jsonl'));
    this.#running.add(() => audit.close());
    const guard = new RollbackGuard(hsm, store);
    const accepted = await guard.start();
    const moves = new Moves({ store, guard, eraseDeadlineDays: config.eraseDeadlineDays, now, monotonic, logger });
    await this.#running.start(moves);
    const epochs = new Epochs({ hsm, store, guard, moves, now });
    const resumed = await epochs.resume();
    const orders = new Orders(store, guard, now);
    const challenges = new Challenges(now, random);
    const signing = new SigningKeys({ hsm, store, guard, now });
    const exports = new Exports({ hsm, signing, orders, epochs, moves, rates: store.rates, challenges, limits: config.limits, now });
    const recoveries = new Recoveries({ hsm, signing, store, guard, epochs, orders, now, random });
    const operations = new KmsOperations({
      hsm,
      store,
      guard,
      epochs,
      moves,
      orders,
      challenges,
      exports,
      signing,
      recoveries,
      audit,
      limits: config.limits,
      now,
      random,
      logger,
    });
    const listeners: Listener[] = [];
    if (config.socket !== undefined) listeners.push(new UnixListener(config.socket));
    if (config.tls !== undefined) listeners.push(new TlsListener(config.tls, logger));
    const server = new KmsServer(listeners, operations, logger);
    this.#running.add(() => server.stop());
    await server.start();
    if (accepted) {
      const [at, call] = [new Date(now()).toISOString(), random(8).toString('hex')];
      audit.record({ at, call, phase: 'answered', operation: 'acceptRecords', hsm: hsm.title, outcome: 'done' });
      logger.warn('started with records that are of another time than the HSM, as its security officer ordered');
    }
    const { title, capabilities } = hsm;
    if (capabilities.wrapInHsm) logger.info({ hsm: title, resumed }, 'started');
    else logger.warn({ hsm: title, resumed }, 'started with keys in software, not in an HSM');
  }
}
