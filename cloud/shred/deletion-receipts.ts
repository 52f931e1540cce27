import { createHash, createPublicKey } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import type { Kysely } from 'kysely';
import { readHead } from '../../shared/audit/log-tokens.ts';
import { RECEIPT_ISSUED, receiptEntry } from '../../shared/audit/receipt-entry.ts';
import { publicKeySchema } from '../../shared/lease/public-key.ts';
import { type LogPlace, type ProvedReceipt, RECEIPT_TYPE, type Statement, statementSchema } from '../../shared/receipts/receipt.ts';
import { stateOfBox } from '../../shared/receipts/state-of-box.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { KmsEntries } from '../audit/kms-entries.ts';
import type { LogHeads } from '../audit/log-heads.ts';
import type { LogTree } from '../audit/log-tree.ts';
import { signByAuditKey } from '../audit/sign-by-audit-key.ts';
import { keyHash } from '../fleet/pki/key-hash.ts';
import type { KmsClient } from '../kms/client.ts';
import type { Database } from '../store/database.ts';
import { asProved } from './as-proved.ts';
import { boxesOfErasure } from './boxes-of-erasure.ts';
import { erasedBoxes } from './erased-boxes.ts';
import type { Erasures } from './erasures.ts';
import { findDestructions } from './find-destructions.ts';
import { findWords } from './find-words.ts';
import { readEpochs } from './read-epochs.ts';
import { removedIn } from './removed-in.ts';
import type { Shreds } from './shreds.ts';
import { type Told, toldBoxes } from './told-boxes.ts';

type Destructions = Awaited<ReturnType<typeof findDestructions>>;
type Done = NonNullable<Told['done']>;

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
    const { db, shreds, now } = this.#options;
    const shred = await shreds.get(org, id);
    const { tenant, requestedBy, requestedAt, approvals, frozenAt, boxes } = shred;
    const told = await toldBoxes(
      db,
      boxes.map(({ command }) => command),
    );
    const destructions = await this.#destructions(org, tenant, shred.destroyedAt === null ? [] : [null]);
    const keys = { destroyedAt: timeOf(shred.destroyedAt), unrecoverableFrom: timeOf(shred.unrecoverableFrom) };
    const { destroyedAt, unrecoverableFrom } = asProved(keys, ofEpoch(destructions, null));
    // To the second, as the statement has it: a state that is reached within it is told by the next receipt.
    const iat = Math.floor(now() / 1000);
    const hsm = destroyedAt === null ? null : { unrecoverableFrom };
    const words = boxes.map(({ command }) => told.get(command)?.done ?? null);
    return await this.#signed(words, destructions, {
      ...({ version: 2, aud: 'securegate-receipt', kind: 'shred', jti: id, iat } as const),
      ...{ org, tenant, requestedBy, requestedAt, approvals, frozenAt },
      destroyedAt: isoOrNull(destroyedAt),
      unrecoverableFrom: isoOrNull(unrecoverableFrom),
      boxes: boxes.map(({ device, enforcement, leaseEndsAt, command }, index) => {
        const word = wordOf(command, words[index]);
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
    const { db, kms, erasures, now } = this.#options;
    const { tenant, customers, requestedBy, requestedAt } = await erasures.get(org, id);
    const boxes = await boxesOfErasure(db, { id, org, tenant });
    const at = now();
    const known = await readEpochs(kms, org, tenant);
    const gone = known.flatMap(({ epoch, destroyedAt: destroyed }) => (destroyed === null ? [] : [epoch]));
    const destructions = await this.#destructions(org, tenant, gone);
    const epochs = known.map((epoch) => asProved(epoch, ofEpoch(destructions, epoch.epoch)));
    const erased = await erasedBoxes(kms, { org, tenant, requestedAt: Date.parse(requestedAt) }, boxes, epochs, at);
    const words = boxes.map(({ word }) => word?.done ?? null);
    return await this.#signed(words, destructions, {
      ...({ version: 2, aud: 'securegate-receipt', kind: 'erasure', jti: id, iat: Math.floor(at / 1000) } as const),
      ...{ org, tenant, customers, requestedBy, requestedAt },
      epochs: epochs.map(({ epoch, leftFrom, destroyedAt, unrecoverableFrom }) => {
        return {
          epoch,
          leftFrom: isoOrNull(leftFrom),
          destroyedAt: isoOrNull(destroyedAt),
          unrecoverableFrom: isoOrNull(unrecoverableFrom),
        };
      }),
      boxes: erased.map(({ device, enforcement, leaseEndsAt, word, lost, state: { state, because, unrecoverableFrom } }) => ({
        ...{ device, state, because, enforcement, word: word && wordOf(word.command, word.done) },
        unrecoverableFrom: isoOrNull(unrecoverableFrom),
        leaseEndsAt: iso(leaseEndsAt),
        lost: lost && { epoch: lost.epoch, laterKeyAt: isoOrNull(lost.laterKeyAt) },
      })),
    });
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

  async #signed(done: readonly (Done | null)[], destructions: Destructions, said: Statement): Promise<ProvedReceipt> {
    const { db, kms, tree, heads } = this.#options;
    const statement = await signByAuditKey(kms, RECEIPT_TYPE, statementSchema.parse(said));
    const issued = await this.#log(said, statement);
    const words = await findWords(
      db,
      done.flatMap((one) => (one ? [one.token] : [])),
    );
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

function wordOf(command: string, done: Done | null | undefined): Statement['boxes'][number]['word'] {
  if (!done) return null;
  const { token, at } = done;
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
