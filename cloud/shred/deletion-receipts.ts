import { createHash, createPublicKey } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import type { Kysely } from 'kysely';
import { readHead } from '../../shared/audit/log-tokens.ts';
import { RECEIPT_ISSUED, receiptEntry } from '../../shared/audit/receipt-entry.ts';
import { publicKeySchema } from '../../shared/lease/public-key.ts';
import { type LogPlace, type ProvedReceipt, RECEIPT_TYPE, type Statement, statementSchema } from '../../shared/receipts/receipt.ts';
import { type KnownOfBox, stateOfBox } from '../../shared/receipts/state-of-box.ts';
import { destroyedAt, type KnownEpoch, keysBefore, type LostEpoch, stateOfErasure } from '../../shared/receipts/state-of-erasure.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { KmsEntries } from '../audit/kms-entries.ts';
import type { LogHeads } from '../audit/log-heads.ts';
import type { LogTree } from '../audit/log-tree.ts';
import { signByAuditKey } from '../audit/sign-by-audit-key.ts';
import { keyHash } from '../fleet/pki/key-hash.ts';
import type { KmsClient } from '../kms/client.ts';
import type { Database } from '../store/database.ts';
import { asProved } from './as-proved.ts';
import type { Erasures } from './erasures.ts';
import { findDestructions } from './find-destructions.ts';
import { findWords } from './find-words.ts';
import { readEpochs } from './read-epochs.ts';
import { removedIn } from './removed-in.ts';
import type { Shreds } from './shreds.ts';
import { type Told, toldBoxes } from './told-boxes.ts';

type Destructions = Awaited<ReturnType<typeof findDestructions>>;
type Holder = Pick<KnownOfBox, 'enforcement' | 'leaseEndsAt'>;
/** Of a box that the KMS does not know any more. */
const UNKNOWN: Holder = { enforcement: 'software', leaseEndsAt: 0 };

export interface DeletionReceiptsOptions {
  readonly db: Kysely<Database>;
  readonly kms: Pick<KmsClient, 'call'>;
  readonly shreds: Pick<Shreds, 'get'>;
  readonly erasures: Pick<Erasures, 'get'>;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly kmsEntries: Pick<KmsEntries, 'fetch'>;
  readonly tree: Pick<LogTree, 'inclusion'>;
  readonly heads: Pick<LogHeads, 'latest'>;
  readonly now: () => number;
}

/** What is given to who asked for a shred or an erasure: how far it is now, signed, with the words of the boxes and of the KMS, and their places in the log. */
export class DeletionReceipts {
  readonly #options: DeletionReceiptsOptions;

  constructor(options: DeletionReceiptsOptions) {
    this.#options = options;
  }

  /** @throws {SecureGateError} `shred_not_found`, `kms_unavailable` */
  async ofShred(org: string, id: string): Promise<ProvedReceipt> {
    const { shreds, now } = this.#options;
    const shred = await shreds.get(org, id);
    const { tenant, requestedBy, requestedAt, approvals, frozenAt, boxes } = shred;
    const told = await this.#told(boxes);
    const destructions = await this.#destructions(org, tenant, shred.destroyedAt === null ? [] : [null]);
    const keys = { destroyedAt: timeOf(shred.destroyedAt), unrecoverableFrom: timeOf(shred.unrecoverableFrom) };
    const { destroyedAt, unrecoverableFrom } = asProved(keys, ofEpoch(destructions, null));
    // To the second, as the statement has it: a state that is reached within it is told by the next receipt.
    const iat = Math.floor(now() / 1000);
    const hsm = destroyedAt === null ? null : { unrecoverableFrom };
    return await this.#signed(told, destructions, {
      ...({ version: 2, aud: 'securegate-receipt', kind: 'shred', jti: id, iat } as const),
      ...{ org, tenant, requestedBy, requestedAt, approvals, frozenAt },
      destroyedAt: isoOrNull(destroyedAt),
      unrecoverableFrom: isoOrNull(unrecoverableFrom),
      boxes: boxes.map(({ device, enforcement, leaseEndsAt, command }) => {
        const word = wordOf(command, told.get(command));
        const known = { enforcement, leaseEndsAt: Date.parse(leaseEndsAt), erasedAt: word && Date.parse(word.at) };
        const { state, unrecoverableFrom: from, because } = stateOfBox(known, hsm, iat * 1000);
        return {
          device,
          enforcement,
          leaseEndsAt,
          word,
          state,
          because,
          unrecoverableFrom: isoOrNull(from),
        };
      }),
    });
  }

  /** @throws {SecureGateError} `erasure_not_found`, `kms_unavailable` */
  async ofErasure(org: string, id: string): Promise<ProvedReceipt> {
    const { kms, erasures, now } = this.#options;
    const { tenant, customers, requestedBy, requestedAt, boxes } = await erasures.get(org, id);
    const told = await this.#told(boxes);
    const at = now();
    const iat = Math.floor(at / 1000);
    const known = await readEpochs(kms, org, tenant);
    const gone = known.flatMap(({ epoch, destroyedAt: destroyed }) => (destroyed === null ? [] : [epoch]));
    const destructions = await this.#destructions(org, tenant, gone);
    const epochs = known.map((epoch) => asProved(epoch, ofEpoch(destructions, epoch.epoch)));
    const lost = boxes.some(({ command }) => !told.get(command)?.done)
      ? await this.#lost(org, tenant, epochs)
      : new Map<string, LostEpoch>();
    const words = boxes.map(({ device, command }) => {
      const word = wordOf(command, told.get(command));
      return { device, word, lost: word ? null : (lost.get(device) ?? null) };
    });
    // Until when a box, or an older copy of it, had a key to open with, where all keys of that time are gone.
    const ends = words.map(({ word, lost: epoch }) => {
      return destroyedAt(epoch ? upTo(epochs, epoch) : keysBefore(epochs, word ? Date.parse(word.at) : at)) ?? at;
    });
    const holders = await this.#holders(org, tenant, new Set(ends));
    const views = words.map(({ device, word, lost: epoch }, index) => {
      const { enforcement, leaseEndsAt } = holders.get(ends[index] ?? at)?.get(device) ?? UNKNOWN;
      const box = { enforcement, leaseEndsAt, erasedAt: word && Date.parse(word.at), requestedAt: Date.parse(requestedAt), lost: epoch };
      const { state, unrecoverableFrom, because } = stateOfErasure(box, epochs, iat * 1000);
      return {
        ...{ device, state, because, enforcement, word },
        unrecoverableFrom: isoOrNull(unrecoverableFrom),
        leaseEndsAt: iso(leaseEndsAt),
        lost: epoch && { epoch: epoch.epoch, laterKeyAt: isoOrNull(epoch.laterKeyAt) },
      };
    });
    return await this.#signed(told, destructions, {
      ...({ version: 2, aud: 'securegate-receipt', kind: 'erasure', jti: id, iat } as const),
      ...{ org, tenant, customers, requestedBy, requestedAt },
      epochs: epochs.map(({ epoch, leftFrom, destroyedAt: destroyed, unrecoverableFrom }) => {
        return { epoch, leftFrom: isoOrNull(leftFrom), destroyedAt: isoOrNull(destroyed), unrecoverableFrom: isoOrNull(unrecoverableFrom) };
      }),
      boxes: views,
    });
  }

  /** The boxes of a tenant by when they were given leases. */
  async #holders(org: string, tenant: string, before: ReadonlySet<number>): Promise<ReadonlyMap<number, ReadonlyMap<string, Holder>>> {
    const { kms } = this.#options;
    const found = [...before].map(async (at) => {
      const holders = await kms.call('listHolders', { org, tenant, before: at });
      return [at, new Map(holders.map((holder) => [holder.device, holder]))] as const;
    });
    return new Map(await Promise.all(found));
  }

  /** Boxes that never said that they left an epoch whose key is gone, each with the last such epoch. */
  async #lost(org: string, tenant: string, epochs: readonly KnownEpoch[]): Promise<ReadonlyMap<string, LostEpoch>> {
    const lost = new Map<string, LostEpoch>();
    for (const { epoch, destroyedAt: gone, leftFrom } of epochs) {
      if (gone === null || leftFrom === null) continue;
      const boxes = await this.#options.kms.call('listLostBoxes', { org, tenant, epoch });
      for (const { device, laterKeyAt } of boxes) lost.set(device, { epoch, laterKeyAt });
    }
    return lost;
  }

  /**
   * The KMS's words that keys are destroyed, in the log.
   * @param gone epochs whose keys it says are; null: all of the tenant. Where it was cut off before it wrote that down, it is asked again: it
   * destroys nothing twice, and says once more that it did
   */
  async #destructions(org: string, tenant: string, gone: readonly (number | null)[]): Promise<Destructions> {
    const { db, kms, kmsEntries } = this.#options;
    if (gone.length === 0) return [];
    await kmsEntries.fetch();
    const found = await findDestructions(db, org, tenant);
    const missing = gone.filter((epoch) => ofEpoch(found, epoch) === undefined);
    if (missing.length === 0) return found;
    for (const epoch of missing) {
      if (epoch === null) await kms.call('destroyTenant', { org, tenant });
      else await kms.call('destroyEpoch', { org, tenant, epoch });
    }
    await kmsEntries.fetch();
    return await findDestructions(db, org, tenant);
  }

  async #told(boxes: readonly { readonly command: string }[]): Promise<ReadonlyMap<string, Told>> {
    return await toldBoxes(
      this.#options.db,
      boxes.map(({ command }) => command),
    );
  }

  async #signed(told: ReadonlyMap<string, Told>, destructions: Destructions, said: Statement): Promise<ProvedReceipt> {
    const { db, kms, tree, heads } = this.#options;
    const statement = await signByAuditKey(kms, RECEIPT_TYPE, statementSchema.parse(said));
    const issued = await this.#log(said, statement);
    const words = await findWords(db, [...told.values()]);
    const head = await heads.latest(Math.max(...[issued, ...words, ...destructions].map(({ leaf }) => leaf + 1)));
    const { size } = readHead(head);
    const proved = async <Place extends { readonly leaf: number }>(one: Place): Promise<Place & Pick<LogPlace, 'proof'>> => {
      return { ...one, proof: await tree.inclusion(one.leaf, size) };
    };
    const all = async <Place extends { readonly leaf: number }>(places: readonly Place[]): Promise<(Place & Pick<LogPlace, 'proof'>)[]> => {
      const found = [];
      for (const one of places) found.push(await proved(one));
      return found;
    };
    return { version: 2, statement, words: await all(words), head, issued: await proved(issued), destructions: await all(destructions) };
  }

  /** Whoever dates a receipt back has no log in which it is. */
  async #log({ iat, org, tenant, jti }: Statement, statement: string): Promise<Omit<LogPlace, 'proof'>> {
    const { db, audit } = this.#options;
    const digest = createHash('sha256').update(statement).digest('base64url');
    await audit.record(receiptEntry({ at: iat * 1000, org, tenant, id: jti, digest }));
    const { leaf, logged_at, salt } = await db
      .selectFrom('audit')
      .select(['leaf', 'logged_at', 'salt'])
      .where('evidence', '=', digest)
      .where('operation', '=', RECEIPT_ISSUED)
      .executeTakeFirstOrThrow();
    return { leaf, loggedAt: logged_at, salt };
  }
}

/** The word that is about an epoch, or about all of the tenant's keys (null). */
function ofEpoch(destructions: Destructions, epoch: number | null): Destructions[number] | undefined {
  return destructions.find((one) => one.epoch === epoch) ?? destructions.find((one) => one.epoch === null);
}

function upTo(epochs: readonly KnownEpoch[], { epoch: last }: LostEpoch): KnownEpoch[] {
  return epochs.filter(({ epoch }) => epoch <= last);
}

function wordOf(command: string, told: Told | undefined): Statement['boxes'][number]['word'] {
  if (!told?.done) return null;
  const { token, at } = told.done;
  const key = createPublicKey({ key: publicKeySchema.parse(decodeProtectedHeader(token).jwk), format: 'jwk' });
  const digest = createHash('sha256').update(token).digest('base64url');
  return { digest, key: keyHash(key), command, at: iso(at), removed: removedIn(token) };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

function timeOf(time: string | null): number | null {
  return time === null ? null : Date.parse(time);
}

function isoOrNull(at: number | null): string | null {
  return at === null ? null : iso(at);
}
