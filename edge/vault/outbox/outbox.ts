import type Database from 'better-sqlite3';
import type { EnvelopeContext, EnvelopeKey } from '../../../shared/crypto/envelope.ts';
import { sealEnvelope } from '../../../shared/crypto/seal-envelope.ts';
import { MOST_SIGHTINGS, reportOf, type SightingReport, sightingReportSchema } from '../../../shared/fleet/sighting-batch.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import type { Sighting } from '../../../shared/messages/events.ts';
import type { HeaderKey } from '../keys/header-key.ts';
import { openIfIntact } from '../keys/open-if-intact.ts';
import type { OutboxSettings } from '../protocol.ts';
import type { VaultScope } from '../scope.ts';
import { type OutboxSize, OutboxStore } from '../store/outbox-store.ts';

export interface OutboxOptions {
  readonly scope: VaultScope;
  /** The outbox key of the keyring's header; this object wipes it. */
  readonly key: HeaderKey;
  /** vault.db; whoever opened it closes it. */
  readonly database: Database.Database;
  /** Without them nothing is put here or told, and the key may be wiped: the control plane does not know this tenant. */
  readonly settings: OutboxSettings | undefined;
  readonly logger: Logger;
}

/**
 * Sightings that wait to be told to the control plane, each until that has written it down. None of them says who was seen. They have
 * so much room and no more: what has none is dropped, and counted.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #key: EnvelopeKey;
  readonly #store: OutboxStore;

  constructor(options: OutboxOptions) {
    const { version, bytes } = options.key;
    this.#options = options;
    this.#key = { id: 'outbox', version, holds: 'data', bytes };
    this.#store = new OutboxStore(options.database);
  }

  get size(): OutboxSize {
    return this.#store.size();
  }

  /** Belongs into the transaction in which the sighting itself is written: both are on the disk then, or none. */
  put(sighting: Sighting): void {
    const { settings } = this.#options;
    if (settings === undefined) return;
    const plaintext = Buffer.from(JSON.stringify(reportOf(sighting)));
    const envelope = sealEnvelope(this.#key, 'outbox-item', this.#contextOf(sighting.id), plaintext);
    if (this.#makeRoom(envelope.length, settings)) this.#store.add({ id: sighting.id, envelope });
    else this.#store.countDropped();
  }

  /** Those that wait for longest, of so many bytes. They stay here until they are told. */
  untold(bytes: number): SightingReport[] {
    if (this.#options.settings === undefined) return [];
    const reports: SightingReport[] = [];
    const damaged: string[] = [];
    let room = bytes;
    for (const { id, envelope } of this.#store.first()) {
      const plaintext = openIfIntact(this.#key, 'outbox-item', this.#contextOf(id), envelope);
      const report = plaintext && sightingReportSchema.safeParse(JSON.parse(plaintext.toString())).data;
      if (report === undefined) {
        damaged.push(id);
        continue;
      }
      room -= plaintext?.length ?? 0;
      if (room < 0 || reports.length === MOST_SIGHTINGS) break;
      reports.push(report);
    }
    if (damaged.length > 0) this.#drop(damaged);
    return reports;
  }

  /** The control plane has written them down. */
  told(ids: readonly string[]): void {
    this.#options.database.transaction(() => {
      for (const id of ids) this.#store.remove(id);
    })();
  }

  stop(): void {
    this.#key.bytes.fill(0);
  }

  /** @returns whether there is room now for one more of this size */
  #makeRoom(length: number, { bytes, whenFull }: OutboxSettings): boolean {
    while (this.#store.size().bytes + length > bytes) {
      if (whenFull === 'drop-newest' || this.#store.size().items === 0) return false;
      this.#store.removeFirst();
      this.#store.countDropped();
    }
    return true;
  }

  /** What does not open would be in the way of all that follows. */
  #drop(ids: readonly string[]): void {
    this.#options.logger.error({ items: ids.length }, 'items of the outbox were damaged and are dropped');
    this.#options.database.transaction(() => {
      for (const id of ids) {
        this.#store.remove(id);
        this.#store.countDropped();
      }
    })();
  }

  #contextOf(id: string): EnvelopeContext {
    const { org, tenant } = this.#options.scope;
    return { org, tenant, record: id };
  }
}
