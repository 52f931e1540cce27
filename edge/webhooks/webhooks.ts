import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { newId } from '../../shared/ids/ids.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { Sighting } from '../../shared/messages/events.ts';
import { SerialWork } from '../../shared/runtime/serial-work.ts';
import type { DeadLetter, WebhooksPort, WebhookView } from '../api/ports.ts';
import { allPages } from '../runtime/all-pages.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Part } from '../runtime/lifecycle.ts';
import { pause } from '../runtime/pause.ts';
import type { VaultClient } from '../vault/client.ts';
import { checkTarget } from './check-target.ts';
import { DeliveryLog, readDeliveryLogs } from './delivery-log.ts';
import { findSightings } from './find-sightings.ts';
import { type Target, Webhook } from './webhook.ts';

const KIND = 'webhooks';
const PAGE = 100;
const MOST_WEBHOOKS = 16;
/** A receiver that answers has taken a message long before: then nothing of it is written. */
const SAVE_EVERY_MS = 1000;

const storedSchema = z.strictObject({ url: z.string(), active: z.boolean(), secret: z.string() });

interface TenantWebhooks {
  readonly byId: Map<string, Webhook>;
  /** Changes are made one after the other: what one of them checks, none of the others changes meanwhile. */
  readonly work: SerialWork;
  readonly ending: AbortController;
  /** Comes to its end when the webhooks stop, or those of the tenant do. */
  readonly saving: Promise<void>;
}

export interface WebhooksOptions {
  readonly allowPrivateTargets: boolean;
  /** @throws {SecureGateError} `tenant_not_found` */
  readonly vault: (tenant: string) => VaultClient;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The webhooks of all tenants: each has its own courier and its own signing secret, so that neither a stalled receiver nor
 * another tenant's can hold a message up. What waits and what was given up outlives a stop under the same ids, with the
 * attempts that were made; a crash loses what came up in the second before, and may bring once more what had arrived.
 */
export class Webhooks implements WebhooksPort, Part {
  readonly name = 'webhooks';
  readonly #options: WebhooksOptions;
  readonly #tenants = new Map<string, TenantWebhooks>();
  #running = false;
  #stopping = new AbortController();

  constructor(options: WebhooksOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#running = true;
    this.#stopping = new AbortController();
  }

  /** Reads the webhooks of a tenant whose vault is open. To be called once it is, and again whenever it is open anew. */
  async open(tenant: string): Promise<void> {
    if (!this.#running || this.#tenants.has(tenant)) return;
    const vault = (): VaultClient => this.#options.vault(tenant);
    const records = await allPages((cursor) => vault().listRecords(KIND, { cursor, limit: PAGE }));
    const logs = await readDeliveryLogs(vault);
    const sightings = await findSightings(
      vault(),
      [...logs.values()].flatMap(({ waiting }) => waiting),
    );
    // A crash can have come between a webhook's removal and that of its log.
    for (const [id, log] of logs) if (!records.some((record) => record.id === id)) await log.save([]);
    // Meanwhile the box may have been stopped, or the vault opened once more.
    if (!this.#running || this.#tenants.has(tenant)) return;
    const byId = new Map<string, Webhook>();
    const work = new SerialWork();
    const ending = new AbortController();
    const saving = this.#saveRegularly(tenant, byId, work, AbortSignal.any([this.#stopping.signal, ending.signal]));
    this.#tenants.set(tenant, { byId, work, ending, saving });
    for (const { id, version, data } of records) {
      const { url, active, secret } = storedSchema.parse(data);
      const log = logs.get(id) ?? new DeliveryLog(vault, id);
      const webhook = new Webhook({ id, secret, log, ...this.#options }, { url, active }, version);
      byId.set(id, webhook);
      webhook.start(sightings);
    }
  }

  /** Hands a sighting to every active webhook of its tenant; never blocks. */
  publish(sighting: Sighting): void {
    for (const webhook of this.#tenants.get(sighting.tenant)?.byId.values() ?? []) webhook.offer({ id: newId('delivery'), sighting });
  }

  /** The tenant is gone: its webhooks end, and what waits is given up. */
  async drop(tenant: string): Promise<void> {
    const held = this.#tenants.get(tenant);
    if (held === undefined) return;
    this.#tenants.delete(tenant);
    held.ending.abort();
    await Promise.all(Array.from(held.byId.values(), (webhook) => webhook.stop()));
    await held.saving;
  }

  async stop(): Promise<void> {
    this.#running = false;
    const tenants = [...this.#tenants.values()];
    this.#stopping.abort();
    await Promise.all(tenants.flatMap(({ work, saving }) => [work.idle(), saving]));
    this.#tenants.clear();
    await Promise.all(tenants.flatMap(({ byId }) => Array.from(byId.values(), (webhook) => webhook.stop())));
  }

  list(tenant: string): readonly WebhookView[] {
    return Array.from(this.#of(tenant).byId.values(), ({ view }) => view);
  }

  get(tenant: string, id: string): WebhookView {
    return this.#find(tenant, id).view;
  }

  async add(tenant: string, { url, active }: Target, given?: string): Promise<{ webhook: WebhookView; secret: string }> {
    checkTarget(url, this.#options.allowPrivateTargets);
    const { byId, work } = this.#of(tenant);
    return work.run(async () => {
      if (byId.size >= MOST_WEBHOOKS) {
        throw new SecureGateError('conflict', 'This tenant has as many webhooks as it can have', { details: { most: MOST_WEBHOOKS } });
      }
      const secret = `whsec_${randomBytes(32).toString('base64url')}`;
      const { id, version } = await this.#options.vault(tenant).addRecord(KIND, { url, active, secret }, { id: given });
      const log = new DeliveryLog(() => this.#options.vault(tenant), id);
      const webhook = new Webhook({ id, secret, log, ...this.#options }, { url, active }, version);
      byId.set(id, webhook);
      webhook.start();
      return { webhook: webhook.view, secret };
    });
  }

  async change(tenant: string, id: string, { url, active }: Target, version?: number): Promise<WebhookView> {
    checkTarget(url, this.#options.allowPrivateTargets);
    return this.#of(tenant).work.run(async () => {
      const webhook = this.#find(tenant, id);
      const data = { url, active, secret: webhook.secret };
      const stored = await this.#options.vault(tenant).changeRecord(KIND, id, data, version);
      await webhook.change({ url, active }, stored.version);
      return webhook.view;
    });
  }

  async remove(tenant: string, id: string, version?: number): Promise<void> {
    const { byId, work } = this.#of(tenant);
    return work.run(async () => {
      const webhook = this.#find(tenant, id);
      await this.#options.vault(tenant).removeRecord(KIND, id, version);
      byId.delete(id);
      await webhook.remove();
    });
  }

  deadLetters(tenant: string, id: string): readonly DeadLetter[] {
    return this.#find(tenant, id).letters;
  }

  async redeliver(tenant: string, id: string): Promise<number> {
    const vault = (): VaultClient => this.#options.vault(tenant);
    return this.#of(tenant).work.run(() => this.#find(tenant, id).redeliver((letters) => findSightings(vault(), letters)));
  }

  /** Saves once more when the webhooks stop: what waits then is not given up, but waits for the next start. */
  async #saveRegularly(tenant: string, byId: ReadonlyMap<string, Webhook>, work: SerialWork, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(SAVE_EVERY_MS, signal);
      // Among the changes, so that nothing is written any more for a webhook that was removed.
      await work.run(async () => {
        for (const webhook of byId.values()) await this.#save(tenant, webhook);
      });
    }
  }

  async #save(tenant: string, webhook: Webhook): Promise<void> {
    try {
      if (this.#options.vault(tenant).state === 'ready') await webhook.save();
    } catch (error) {
      this.#options.logger.warn({ err: error, tenant, webhook: webhook.id }, 'webhook messages that wait were not saved; tried again');
    }
  }

  #of(tenant: string): TenantWebhooks {
    const held = this.#tenants.get(tenant);
    if (held !== undefined) return held;
    // Says that there is no such tenant, where there is none.
    this.#options.vault(tenant);
    throw new SecureGateError('vault_unavailable', 'The vault of this tenant is not open');
  }

  #find(tenant: string, id: string): Webhook {
    const webhook = this.#of(tenant).byId.get(id);
    if (webhook === undefined) throw new SecureGateError('record_not_found', 'There is no such webhook');
    return webhook;
  }
}
