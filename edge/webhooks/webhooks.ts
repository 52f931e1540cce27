import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { newId } from '../../shared/ids/ids.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { Sighting } from '../../shared/messages/events.ts';
import type { DeadLetter, WebhooksPort, WebhookView } from '../api/ports.ts';
import { allPages } from '../runtime/all-pages.ts';
import { BackOff } from '../runtime/back-off.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Part } from '../runtime/lifecycle.ts';
import { SerialWork } from '../runtime/serial-work.ts';
import type { VaultClient } from '../vault/client.ts';
import { checkTarget } from './check-target.ts';
import { Courier, type Message } from './courier.ts';
import { findSightings } from './find-sightings.ts';

const KIND = 'webhooks';
const PAGE = 100;
const MOST_WEBHOOKS = 16;
const MOST_DEAD_LETTERS = 100;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 300_000;

const storedSchema = z.strictObject({ url: z.string(), active: z.boolean(), secret: z.string() });

interface BuriedMessage extends DeadLetter {
  /** Says where to look for the sighting. */
  readonly endedAt: string;
}

interface Webhook {
  readonly id: string;
  url: string;
  active: boolean;
  version: number;
  readonly secret: Buffer;
  courier: Courier | undefined;
  /** Oldest first. */
  dead: BuriedMessage[];
}

interface TenantWebhooks {
  readonly byId: Map<string, Webhook>;
  /** Changes are made one after the other: what one of them checks, none of the others changes meanwhile. */
  readonly work: SerialWork;
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
 * another tenant's can hold a message up. What waits and what was given up is in memory: a stop of the box loses it,
 * while the sightings themselves stay in the vault.
 */
export class Webhooks implements WebhooksPort, Part {
  readonly name = 'webhooks';
  readonly #options: WebhooksOptions;
  readonly #tenants = new Map<string, TenantWebhooks>();
  #running = false;

  constructor(options: WebhooksOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#running = true;
  }

  /** Reads the webhooks of a tenant whose vault is open. To be called once it is, and again whenever it is open anew. */
  async open(tenant: string): Promise<void> {
    if (!this.#running || this.#tenants.has(tenant)) return;
    const vault = this.#options.vault(tenant);
    const records = await allPages((cursor) => vault.listRecords(KIND, { cursor, limit: PAGE }));
    // Meanwhile the box may have been stopped, or the vault opened once more.
    if (!this.#running || this.#tenants.has(tenant)) return;
    const byId = new Map<string, Webhook>();
    this.#tenants.set(tenant, { byId, work: new SerialWork() });
    for (const { id, version, data } of records) {
      const { url, active, secret } = storedSchema.parse(data);
      const webhook: Webhook = { id, url, active, version, secret: bytesOf(secret), courier: undefined, dead: [] };
      byId.set(id, webhook);
      this.#launch(webhook);
    }
  }

  /** Hands a sighting to every active webhook of its tenant; never blocks. */
  publish(sighting: Sighting): void {
    for (const { courier } of this.#tenants.get(sighting.tenant)?.byId.values() ?? []) {
      courier?.offer({ id: newId('delivery'), sighting });
    }
  }

  async stop(): Promise<void> {
    this.#running = false;
    const tenants = [...this.#tenants.values()];
    this.#tenants.clear();
    await Promise.all(tenants.map(({ work }) => work.idle()));
    await Promise.all(tenants.flatMap(({ byId }) => Array.from(byId.values(), (webhook) => this.#discard(webhook))));
  }

  list(tenant: string): readonly WebhookView[] {
    return Array.from(this.#of(tenant).byId.values(), viewOf);
  }

  get(tenant: string, id: string): WebhookView {
    return viewOf(this.#find(tenant, id));
  }

  async add(tenant: string, { url, active }: { url: string; active: boolean }): Promise<{ webhook: WebhookView; secret: string }> {
    checkTarget(url, this.#options.allowPrivateTargets);
    const { byId, work } = this.#of(tenant);
    return work.run(async () => {
      if (byId.size >= MOST_WEBHOOKS) {
        throw new SecureGateError('conflict', 'This tenant has as many webhooks as it can have', { details: { most: MOST_WEBHOOKS } });
      }
      const secret = `whsec_${randomBytes(32).toString('base64url')}`;
      const { id, version } = await this.#options.vault(tenant).addRecord(KIND, { url, active, secret });
      const webhook: Webhook = { id, url, active, version, secret: bytesOf(secret), courier: undefined, dead: [] };
      byId.set(id, webhook);
      this.#launch(webhook);
      return { webhook: viewOf(webhook), secret };
    });
  }

  async change(tenant: string, id: string, { url, active }: { url: string; active: boolean }, version?: number): Promise<WebhookView> {
    checkTarget(url, this.#options.allowPrivateTargets);
    return this.#of(tenant).work.run(async () => {
      const webhook = this.#find(tenant, id);
      const data = { url, active, secret: webhook.secret.toString('latin1') };
      const stored = await this.#options.vault(tenant).changeRecord(KIND, id, data, version);
      Object.assign(webhook, { url, active, version: stored.version });
      const earlier = webhook.courier;
      this.#launch(webhook);
      await earlier?.stop();
      return viewOf(webhook);
    });
  }

  async remove(tenant: string, id: string, version?: number): Promise<void> {
    const { byId, work } = this.#of(tenant);
    return work.run(async () => {
      const webhook = this.#find(tenant, id);
      await this.#options.vault(tenant).removeRecord(KIND, id, version);
      byId.delete(id);
      await this.#discard(webhook);
    });
  }

  deadLetters(tenant: string, id: string): readonly DeadLetter[] {
    return this.#find(tenant, id)
      .dead.toReversed()
      .map(({ endedAt: _where, ...letter }) => letter);
  }

  async redeliver(tenant: string, id: string): Promise<number> {
    return this.#of(tenant).work.run(() => this.#redeliver(tenant, this.#find(tenant, id)));
  }

  async #redeliver(tenant: string, webhook: Webhook): Promise<number> {
    const { courier, dead: letters } = webhook;
    if (courier === undefined) throw new SecureGateError('conflict', 'This webhook is not active');
    const [oldest] = letters.map(({ endedAt }) => endedAt).sort();
    if (oldest === undefined) return 0;
    const found = await findSightings(this.#options.vault(tenant), new Set(letters.map(({ sightingId }) => sightingId)), oldest);
    // What was given up meanwhile stays for the next time.
    webhook.dead = webhook.dead.filter((letter) => !letters.includes(letter));
    const messages = letters.flatMap(({ id, sightingId }) => {
      const sighting = found.get(sightingId);
      return sighting === undefined ? [] : [{ id, sighting }];
    });
    for (const message of messages) courier.offer(message);
    return messages.length;
  }

  #launch(webhook: Webhook): void {
    webhook.courier = webhook.active ? this.#courierOf(webhook) : undefined;
    webhook.courier?.start();
  }

  #courierOf(webhook: Webhook): Courier {
    const { allowPrivateTargets, clock, logger } = this.#options;
    return new Courier({
      url: webhook.url,
      secret: webhook.secret,
      allowPrivate: allowPrivateTargets,
      backOff: new BackOff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS),
      clock,
      logger,
      onGivenUp: ({ id, sighting }: Message, attempts, reason) => {
        const givenUpAt = new Date(clock.now()).toISOString();
        const letter = {
          id,
          sightingId: sighting.id,
          phase: sighting.phase,
          endedAt: sighting.endedAt,
          givenUpAt,
          attempts,
          reason,
        };
        webhook.dead = [...webhook.dead, letter].slice(-MOST_DEAD_LETTERS);
      },
    });
  }

  async #discard(webhook: Webhook): Promise<void> {
    await webhook.courier?.stop();
    webhook.secret.fill(0);
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

function viewOf({ id, url, active, version }: Webhook): WebhookView {
  return { id, url, active, version };
}

/** The key of the signature is the secret's text as it was shown. */
function bytesOf(secret: string): Buffer {
  const bytes = Buffer.alloc(Buffer.byteLength(secret));
  bytes.write(secret);
  return bytes;
}
