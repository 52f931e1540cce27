import { SecureGateError } from '../shared/errors/securegate-error.ts';
import type { Logger } from '../shared/log/create-logger.ts';
import { type Appliance, openAppliance } from './appliance/open-appliance.ts';
import { leaseSettingsOf } from './box/lease-settings-of.ts';
import type { Config } from './config/schema.ts';
import { encodeJpeg } from './media/encode-jpeg.ts';
import { type OpenStages, openStages } from './open-stages.ts';
import { type DescribedFace, describeStill } from './pipeline/describe-still.ts';
import { wipe } from './pipeline/sighting/dossier.ts';
import { systemClock } from './runtime/clock.ts';
import { type Candidate, type Face, VaultClient } from './vault/client.ts';

export interface EnrolmentRequest {
  readonly tenant: string;
  readonly name: string;
  readonly contact?: string;
  readonly consent: { readonly noticeVersion: string; readonly purpose: string; readonly givenAt: string; readonly expiresAt: string };
  /** JPEG, PNG or WebP files that each show this person alone. */
  readonly images: readonly Buffer[];
}

/**
 * Enrolling on a stand-alone box while its daemon is not running: the composition root of `securegate enrol-face`.
 * Holds the data folder's lock from `openEnrolment` to `close`.
 */
export class Enrolment {
  readonly #config: Config;
  readonly #appliance: Appliance;
  readonly #engine: OpenStages;
  readonly #logger: Logger;
  readonly #vaults = new Map<string, Promise<VaultClient>>();

  constructor(config: Config, appliance: Appliance, engine: OpenStages, logger: Logger) {
    this.#config = config;
    this.#appliance = appliance;
    this.#engine = engine;
    this.#logger = logger;
  }

  /** Looks at one picture without storing anything. @throws {SecureGateError} those of `describeStill` */
  describe(image: Buffer): Promise<DescribedFace> {
    return describeStill(this.#engine.stages, image, 'enrol');
  }

  /**
   * Stores a customer with consent and faces, whole or not at all.
   * @throws {SecureGateError} those of `describeStill` (with `details.image`, counted from 0), `consent_missing`,
   * `consent_expired`, `tenant_not_found`, those of the vault's start
   */
  async enrol(request: EnrolmentRequest): Promise<{ customerId: string; faceIds: readonly string[] }> {
    const vault = await this.#vault(request.tenant);
    const faces: Face[] = [];
    try {
      for (const [index, image] of request.images.entries()) faces.push(await this.#faceOf(image, index));
      const { name, contact, consent } = request;
      return await vault.enrolCustomer({ profile: { name, ...(contact === undefined ? {} : { contact }) }, consent, faces });
    } finally {
      for (const { embedding, picture } of faces) {
        embedding.fill(0);
        picture?.fill(0);
      }
    }
  }

  /** The customers of one tenant that are nearest to a face. @throws {SecureGateError} `tenant_not_found`, those of the vault */
  async search(tenant: string, embedding: Float32Array, limit: number): Promise<readonly Candidate[]> {
    const vault = await this.#vault(tenant);
    const [candidates] = await vault.search({ embeddings: [embedding], model: this.#engine.models.embedder, limit });
    return candidates ?? [];
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#vaults.values());
    await Promise.all(opened.map((vault) => (vault.status === 'fulfilled' ? vault.value.stop() : undefined)));
    await this.#engine.stages.stop();
    this.#appliance.close();
  }

  async #faceOf(image: Buffer, index: number): Promise<Face> {
    const { shot, embedding } = await this.describe(image).catch((error: unknown) => {
      const { code, message, details } = SecureGateError.from(error);
      throw new SecureGateError(code, message, { cause: error, details: { ...details, image: index } });
    });
    try {
      const { jpeg: picture } = await encodeJpeg(shot.aligned, shot.aligned.width);
      return { embedding, model: this.#engine.models.embedder, quality: shot.quality.overall, picture };
    } finally {
      wipe(shot);
    }
  }

  #vault(id: string): Promise<VaultClient> {
    const opened = this.#vaults.get(id) ?? this.#openVault(id);
    this.#vaults.set(id, opened);
    return opened;
  }

  async #openVault(id: string): Promise<VaultClient> {
    const { tenants, dataDir, keyDir } = this.#config;
    const tenant = [...tenants, ...this.#appliance.tenants.list()].find((entry) => entry.id === id);
    if (tenant === undefined) throw new SecureGateError('tenant_not_found', 'This box has no such tenant', { details: { tenant: id } });
    const lease = leaseSettingsOf(this.#config, tenant);
    const { box } = this.#appliance;
    const vault = new VaultClient({ org: tenant.org, tenant: id, box, dataDir, keyDir, lease, clock: systemClock, logger: this.#logger });
    try {
      await vault.start();
    } catch (error) {
      // One that lacks a lease still runs.
      await vault.stop();
      throw error;
    }
    return vault;
  }
}

/** @throws {SecureGateError} `data_folder_in_use` while a daemon runs on it, those of `openStages` */
export async function openEnrolment(config: Config, { logger }: { readonly logger: Logger }): Promise<Enrolment> {
  const appliance = openAppliance(config.dataDir);
  try {
    return new Enrolment(config, appliance, await openStages(config, logger), logger);
  } catch (error) {
    appliance.close();
    throw error;
  }
}
