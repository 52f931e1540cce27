import { z } from 'zod';
import { sightingSchema } from '../../shared/messages/events.ts';
import { allPages } from '../runtime/all-pages.ts';
import type { VaultClient } from '../vault/client.ts';

const KIND = 'webhook-deliveries';
/** A record holds 64 KiB; an entry takes about 250 bytes. */
const ENTRIES_A_PAGE = 200;
const PAGE = 100;

/** A delivery that has not arrived: it refers to the sighting and holds nothing of it but when it ended, which says where to look for it. */
const entrySchema = z.strictObject({
  id: z.string(),
  sightingId: z.string(),
  phase: sightingSchema.shape.phase,
  endedAt: z.iso.datetime(),
  /** Attempts that failed while it waits, and when the next one is due; null before the first, and where an earlier version wrote it. */
  tried: z.strictObject({ attempts: z.number().int(), nextAt: z.iso.datetime() }).nullable().default(null),
  /** Null: it still waits. */
  givenUp: z.strictObject({ at: z.iso.datetime(), attempts: z.number().int(), reason: z.string() }).nullable(),
});
export type DeliveryEntry = z.infer<typeof entrySchema>;

const pageSchema = z.strictObject({ webhook: z.string(), page: z.number().int(), entries: z.array(entrySchema) });

interface StoredPage {
  readonly recordId: string;
  readonly entries: readonly DeliveryEntry[];
}

/** What of one webhook has not arrived, in its tenant's vault: kept in pages, and only those are written that differ from before. */
export class DeliveryLog {
  readonly #vault: () => VaultClient;
  readonly #webhook: string;
  readonly #pages: StoredPage[];

  constructor(vault: () => VaultClient, webhook: string, pages: StoredPage[] = []) {
    this.#vault = vault;
    this.#webhook = webhook;
    this.#pages = pages;
  }

  /** What was kept, in its order. Cut off between two pages, a saving can have left an entry in both of them. */
  get entries(): DeliveryEntry[] {
    return [...new Map(this.#pages.flatMap(({ entries }) => entries.map((entry) => [entry.id, entry]))).values()];
  }

  get waiting(): DeliveryEntry[] {
    return this.entries.filter(({ givenUp }) => givenUp === null);
  }

  /** To be called again only when it has come to its end. @throws {SecureGateError} `vault_unavailable`, `storage_failed` */
  async save(entries: readonly DeliveryEntry[]): Promise<void> {
    const vault = this.#vault();
    const count = Math.ceil(entries.length / ENTRIES_A_PAGE);
    for (let page = 0; page < count; page += 1) {
      const wanted = entries.slice(page * ENTRIES_A_PAGE, (page + 1) * ENTRIES_A_PAGE);
      const stored = this.#pages[page];
      if (stored !== undefined && isSame(stored.entries, wanted)) continue;
      const data = { webhook: this.#webhook, page, entries: wanted };
      const { id } = await (stored === undefined ? vault.addRecord(KIND, data) : vault.changeRecord(KIND, stored.recordId, data));
      this.#pages[page] = { recordId: id, entries: wanted };
    }
    for (let last = this.#pages.at(-1); last !== undefined && this.#pages.length > count; last = this.#pages.at(-1)) {
      await vault.removeRecord(KIND, last.recordId);
      this.#pages.pop();
    }
  }
}

/** @returns the kept log of each webhook, by its id */
export async function readDeliveryLogs(vault: () => VaultClient): Promise<Map<string, DeliveryLog>> {
  const records = await allPages((cursor) => vault().listRecords(KIND, { cursor, limit: PAGE }));
  const pages = records.map(({ id, data }) => ({ recordId: id, ...pageSchema.parse(data) })).sort((a, b) => a.page - b.page);
  const byWebhook = Map.groupBy(pages, ({ webhook }) => webhook);
  return new Map(Array.from(byWebhook, ([webhook, own]) => [webhook, new DeliveryLog(vault, webhook, own)]));
}

/** An entry stays as it is until it is tried, given up or taken up again. */
function isSame(stored: readonly DeliveryEntry[], wanted: readonly DeliveryEntry[]): boolean {
  return (
    stored.length === wanted.length &&
    wanted.every(({ id, tried, givenUp }, index) => {
      const entry = stored[index];
      return entry?.id === id && entry.tried?.attempts === tried?.attempts && entry.givenUp?.at === givenUp?.at;
    })
  );
}
