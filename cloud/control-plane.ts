import { readFileSync } from 'node:fs';
import { sql } from 'kysely';
import { SecureGateError } from '../shared/errors/securegate-error.ts';
import type { Timeouts } from '../shared/http/create-http-server.ts';
import { Idempotency } from '../shared/http/idempotency.ts';
import type { Logger } from '../shared/log/create-logger.ts';
import { RunningParts } from '../shared/runtime/running-parts.ts';
import { TableAudit } from './audit/table-audit.ts';
import type { CloudConfig } from './config/schema.ts';
import type { PartState } from './http/cloud-api.ts';
import { startCloudApi } from './http/server.ts';
import { LocalIssuer } from './iam/local-issuer.ts';
import { ensureLocalOperator } from './iam/local-operator.ts';
import { People } from './iam/people.ts';
import { TokenVerifier, type TrustedIssuer } from './iam/verify-token.ts';
import { KmsClient } from './kms/client.ts';
import { openStore, type Store, type StoreAddress } from './store/open-store.ts';
import { StoredIdempotency } from './store/stored-idempotency.ts';
import { Orgs } from './tenants/orgs.ts';
import { Tenants } from './tenants/tenants.ts';

/** How often keys that could not be made are tried again. */
const FINISH_EVERY_MS = 30_000;

export interface ControlPlaneOptions {
  readonly config: CloudConfig;
  readonly store: StoreAddress;
  /** Whose access tokens count; without one, those that this machine signs itself. */
  readonly issuer?: TrustedIssuer;
  /** How long the API waits for its clients. */
  readonly timeouts?: Timeouts;
  readonly now: () => number;
  readonly logger: Logger;
}

/** The composition root of the control plane. */
export class ControlPlane {
  readonly #options: ControlPlaneOptions;
  readonly #running: RunningParts;
  #url = '';

  constructor(options: ControlPlaneOptions) {
    this.#options = options;
    this.#running = new RunningParts(options.logger);
  }

  /** Where the API is reached. */
  get url(): string {
    return this.#url;
  }

  /** @throws {SecureGateError} `storage_failed`, `store_newer`, `config_invalid` */
  async start(): Promise<void> {
    await this.#running.begin(() => this.#start());
  }

  /** @returns whether every part stopped cleanly */
  async stop(): Promise<boolean> {
    return await this.#running.end();
  }

  async #start(): Promise<void> {
    const { config, now, logger, issuer, timeouts } = this.#options;
    const store = await openStore(this.#options.store);
    this.#running.add(() => store.close());
    const kms = new KmsClient(config.kms.socket);
    this.#running.add(() => kms.close());
    const tenants = new Tenants(store.db, kms, now);
    this.#finishTenants(tenants);
    const people = new People(store.db, now);
    await ensureLocalOperator(people);
    const context = {
      kms,
      tenants,
      orgs: new Orgs(store.db, now),
      people,
      audit: new TableAudit(store.db),
      idempotency: new Idempotency(new StoredIdempotency(store.db, now), ({ account }) => account?.id),
      readiness: async () => [await stateOfStore(store), await stateOfKms(kms)],
    };
    const tokens = new TokenVerifier(issuer ?? (await LocalIssuer.open(config.dataDir).trusted()), now);
    const api = await startCloudApi({
      context,
      tokens,
      listen: config.api,
      rateLimits: config.api.rateLimits,
      timeouts,
      version: readVersion(),
      now,
      logger,
    });
    this.#running.add(() => api.stop());
    this.#url = api.url;
  }

  /** Tenants whose key was not made because the KMS was away, or because of a crash. */
  #finishTenants(tenants: Tenants): void {
    const { logger } = this.#options;
    const finish = async (): Promise<void> => {
      try {
        const left = await tenants.finish();
        if (left > 0) logger.warn({ tenants: left }, 'tenants wait for their key');
      } catch (error) {
        logger.error({ err: SecureGateError.from(error) }, 'tenants without a key could not be looked for');
      }
    };
    let last = finish();
    const timer = setInterval(() => {
      last = last.then(finish);
    }, FINISH_EVERY_MS);
    this.#running.add(async () => {
      clearInterval(timer);
      await last;
    });
  }
}

async function stateOfStore({ db, dialect }: Store): Promise<PartState> {
  try {
    await sql`SELECT 1`.execute(db);
    return { part: 'database', ready: true, reason: null, what: dialect };
  } catch {
    return { part: 'database', ready: false, reason: 'storage_failed', what: dialect };
  }
}

async function stateOfKms(kms: KmsClient): Promise<PartState> {
  try {
    const { ready, reason, hsm } = await kms.call('status', {});
    return { part: 'kms', ready, reason, what: hsm };
  } catch (error) {
    return { part: 'kms', ready: false, reason: SecureGateError.from(error).code, what: null };
  }
}

function readVersion(): string {
  return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;
}
