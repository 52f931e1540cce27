import { createHash, createPublicKey } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import type { Kysely } from 'kysely';
import { readHead } from '../../shared/audit/log-tokens.ts';
import { publicKeySchema } from '../../shared/lease/public-key.ts';
import { type DeletionReceipt, type LoggedWord, RECEIPT_TYPE, type Statement, statementSchema } from '../../shared/receipts/receipt.ts';
import { type KnownOfBox, stateOfBox } from '../../shared/receipts/state-of-box.ts';
import { destroyedAt, keysBefore, stateOfErasure } from '../../shared/receipts/state-of-erasure.ts';
import type { LogHeads } from '../audit/log-heads.ts';
import type { LogTree } from '../audit/log-tree.ts';
import { signByAuditKey } from '../audit/sign-by-audit-key.ts';
import { keyHash } from '../fleet/pki/key-hash.ts';
import type { KmsClient } from '../kms/client.ts';
import type { Database } from '../store/database.ts';
import type { Erasures } from './erasures.ts';
import { findWords } from './find-words.ts';
import { readEpochs } from './read-epochs.ts';
import { removedIn } from './removed-in.ts';
import type { Shreds } from './shreds.ts';
import { type Told, toldBoxes } from './told-boxes.ts';

type Holder = Pick<KnownOfBox, 'enforcement' | 'leaseEndsAt'>;
/** Of a box that the KMS does not know any more. */
const UNKNOWN: Holder = { enforcement: 'software', leaseEndsAt: 0 };

export interface DeletionReceiptsOptions {
  readonly db: Kysely<Database>;
  readonly kms: Pick<KmsClient, 'call'>;
  readonly shreds: Pick<Shreds, 'get'>;
  readonly erasures: Pick<Erasures, 'get'>;
  readonly tree: Pick<LogTree, 'inclusion'>;
  readonly heads: Pick<LogHeads, 'latest'>;
  readonly now: () => number;
}

/** What is given to who asked for a shred or an erasure: how far it is now, signed, with the words of the boxes and their places in the log. */
export class DeletionReceipts {
  readonly #options: DeletionReceiptsOptions;

  constructor(options: DeletionReceiptsOptions) {
    this.#options = options;
  }

  /** @throws {SecureGateError} `shred_not_found`, `kms_unavailable` */
  async ofShred(org: string, id: string): Promise<DeletionReceipt> {
    const { shreds, now } = this.#options;
    const { tenant, requestedBy, requestedAt, approvals, frozenAt, destroyedAt, unrecoverableFrom, boxes } = await shreds.get(org, id);
    const told = await this.#told(boxes);
    // To the second, as the statement has it: a state that is reached within it is told by the next receipt.
    const iat = Math.floor(now() / 1000);
    const hsm = destroyedAt === null ? null : { unrecoverableFrom: unrecoverableFrom === null ? null : Date.parse(unrecoverableFrom) };
    return await this.#signed(told, {
      ...({ aud: 'securegate-receipt', kind: 'shred', jti: id, iat } as const),
      ...{ org, tenant, requestedBy, requestedAt, approvals, frozenAt, destroyedAt, unrecoverableFrom },
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
  async ofErasure(org: string, id: string): Promise<DeletionReceipt> {
    const { kms, erasures, now } = this.#options;
    const { tenant, customers, requestedBy, requestedAt, boxes } = await erasures.get(org, id);
    const told = await this.#told(boxes);
    const at = now();
    const iat = Math.floor(at / 1000);
    const epochs = await readEpochs(kms, org, tenant);
    const words = boxes.map(({ device, command }) => ({ device, word: wordOf(command, told.get(command)) }));
    // Until when an older copy of a box had a key to open with, where all keys of that time are gone.
    const ends = words.map(({ word }) => destroyedAt(keysBefore(epochs, word ? Date.parse(word.at) : at)) ?? at);
    const holders = await this.#holders(org, tenant, new Set(ends));
    const views = words.map(({ device, word }, index) => {
      const { enforcement, leaseEndsAt } = holders.get(ends[index] ?? at)?.get(device) ?? UNKNOWN;
      const known = { enforcement, leaseEndsAt, erasedAt: word && Date.parse(word.at) };
      const { state, unrecoverableFrom } = stateOfErasure(known, epochs, iat * 1000);
      return { device, state, unrecoverableFrom: isoOrNull(unrecoverableFrom), enforcement, leaseEndsAt: iso(leaseEndsAt), word };
    });
    return await this.#signed(told, {
      ...({ aud: 'securegate-receipt', kind: 'erasure', jti: id, iat } as const),
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

  async #told(boxes: readonly { readonly command: string }[]): Promise<ReadonlyMap<string, Told>> {
    return await toldBoxes(
      this.#options.db,
      boxes.map(({ command }) => command),
    );
  }

  async #signed(told: ReadonlyMap<string, Told>, said: Statement): Promise<DeletionReceipt> {
    const { db, kms, tree, heads } = this.#options;
    const found = await findWords(db, [...told.values()]);
    const head = await heads.latest(Math.max(0, ...found.map(({ leaf }) => leaf + 1)));
    const { size } = readHead(head);
    const words: LoggedWord[] = [];
    for (const word of found) words.push({ ...word, proof: await tree.inclusion(word.leaf, size) });
    return { version: 1, statement: await signByAuditKey(kms, RECEIPT_TYPE, statementSchema.parse(said)), words, head };
  }
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

function isoOrNull(at: number | null): string | null {
  return at === null ? null : iso(at);
}
