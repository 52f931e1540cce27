import { calculateJwkThumbprint, decodeProtectedHeader } from 'jose';
import { type Kysely, sql } from 'kysely';
import { followedFrom, forksSince, type LogUpdate } from '../../shared/audit/follow-log.ts';
import { LOG_FORK_TYPE, LOG_HEAD_TYPE, type LogFork, type LogHead, readFork } from '../../shared/audit/log-tokens.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { newUlid } from '../../shared/ids/ulid.ts';
import type { PublicKey } from '../../shared/lease/public-key.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import { SerialWork } from '../../shared/runtime/serial-work.ts';
import type { KmsClient } from '../kms/client.ts';
import type { Database } from '../store/database.ts';
import type { KmsEntries } from './kms-entries.ts';
import type { LogTree } from './log-tree.ts';
import { signByAuditKey } from './sign-by-audit-key.ts';

/** Nothing is in the log for longer without a head over it. */
const MAKE_EVERY_MS = 60_000;
/** Whoever asks more often gets the same: each head takes a signature of the HSM. */
const NEWEST_FOR_MS = 1000;

export interface LogHeadsOptions {
  readonly db: Kysely<Database>;
  readonly tree: LogTree;
  readonly kms: Pick<KmsClient, 'call'>;
  readonly kmsEntries: KmsEntries;
  readonly now: () => number;
  readonly random: (size: number) => Buffer;
  readonly logger: Logger;
}

/** By which key a head is signed. */
export interface SignedBy {
  readonly key: PublicKey;
  /** Words on the changes that led to it (key-change.ts), the first one first. */
  readonly changes: readonly string[];
}

interface Made {
  readonly size: number;
  readonly at: number;
  readonly token: string;
}

/** What the control plane signs of its log. Several processes make heads of one log; each holds with every other. */
export class LogHeads {
  readonly #options: LogHeadsOptions;
  readonly #work = new SerialWork();
  #lookedAt = 0;
  /** By their thumbprints. */
  #keys: ReadonlyMap<string, SignedBy> = new Map();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LogHeadsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#makeLater(), MAKE_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#work.idle();
  }

  /** The key that has signed a head, and the KMS's words on the changes that led to it. @throws {SecureGateError} `kms_unavailable` */
  async keyOf(head: string): Promise<SignedBy> {
    const { kid = '' } = decodeProtectedHeader(head);
    let known = this.#keys.get(kid);
    if (known === undefined) {
      this.#keys = await this.#readKeys();
      known = this.#keys.get(kid);
    }
    if (known === undefined) throw new SecureGateError('log_head_rejected', 'The KMS has no key that signed this head');
    return known;
  }

  /**
   * The newest head: over all that is in the log, unless one was made a moment ago.
   * @param least how many leaves have to be under it; they are in the log
   * @throws {SecureGateError} `kms_unavailable`
   */
  async latest(least = 0): Promise<string> {
    return await this.#work.run(async () => {
      const made = await this.#made();
      const now = this.#options.now();
      // The clock may have been set back since.
      if (made && made.size >= least && Math.abs(now - this.#lookedAt) < NEWEST_FOR_MS) return made.token;
      this.#lookedAt = now;
      return (await this.#make(made)).token;
    });
  }

  /**
   * What somebody has to know who follows the log.
   * @param head the last one that he has, with its signature checked; undefined for the first
   */
  async update(head: LogHead | undefined): Promise<LogUpdate> {
    const { token, size } = (await this.#made()) ?? (await this.#work.run(() => this.#make(undefined)));
    const forks = head === undefined ? [] : forksSince(head.log, await this.forks());
    const from = head && followedFrom(head, forks.map(readFork)).size;
    // Without a proof, whoever asks sees that this log is not the one that he followed.
    const proof = from === undefined || from > size ? [] : await this.#options.tree.consistency(from, size);
    return { head: token, forks, proof, keyChanges: [...(await this.keyOf(token)).changes] };
  }

  /** How many leaves the log of an id has, or had when another one took its place; none where it was never there. */
  async sizeOf(log: string): Promise<number> {
    const { db } = this.#options;
    const present = await db.selectFrom('log').select('size').where('id', '=', log).executeTakeFirst();
    const past = await db.selectFrom('log_forks').select('size').where('of', '=', log).executeTakeFirst();
    return (present ?? past)?.size ?? 0;
  }

  /** Every fork that was declared, signed, the first one first. */
  async forks(): Promise<string[]> {
    const rows = await this.#options.db.selectFrom('log_forks').select('token').orderBy('at').orderBy('log').execute();
    return rows.map(({ token }) => token);
  }

  /**
   * Goes on under a new id, after the log was restored from a backup: whoever followed it to where it is no more learns that it is lost.
   * @param backupAt when the backup was made; what was logged later is not what it was
   * @returns the declaration
   * @throws {SecureGateError} `kms_unavailable`, `log_busy`
   */
  async declareFork(backupAt: number): Promise<LogFork> {
    const { db, tree, kms, now, random } = this.#options;
    const { id: of, at } = await this.#timed();
    const last = await db
      .selectFrom('log_heads')
      .select('size')
      .where('log', '=', of)
      .where('at', '<=', backupAt)
      .orderBy('size', 'desc')
      .limit(1)
      .executeTakeFirst();
    const size = last?.size ?? 0;
    const fork: LogFork = { log: newUlid(now(), random), of, size, root: await tree.root(size), at };
    const token = await signByAuditKey(kms, LOG_FORK_TYPE, fork);
    await db.transaction().execute(async (within) => {
      const { numUpdatedRows } = await within.updateTable('log').set({ id: fork.log }).where('id', '=', of).executeTakeFirst();
      if (numUpdatedRows === 0n) throw new SecureGateError('log_busy', 'The audit log has moved on meanwhile');
      await within.insertInto('log_forks').values({ log: fork.log, of, size, at, token }).execute();
    });
    return fork;
  }

  async #readKeys(): Promise<Map<string, SignedBy>> {
    const { keys, changes } = await this.#options.kms.call('keyHistory', { use: 'audit' });
    const oldestFirst = keys.toReversed().map(async (key, index) => {
      return [await calculateJwkThumbprint(key), { key, changes: changes.slice(0, index) }] as const;
    });
    return new Map(await Promise.all(oldestFirst));
  }

  async #makeLater(): Promise<void> {
    try {
      await this.#work.run(async () => await this.#make(await this.#made()));
    } catch (error) {
      this.#options.logger.error({ err: SecureGateError.from(error) }, 'no head of the audit log could be made; it is tried again');
    }
  }

  /** The newest head of the log as it is now. */
  async #made(): Promise<Made | undefined> {
    const { db } = this.#options;
    return await db
      .selectFrom('log_heads')
      .innerJoin('log', 'log.id', 'log_heads.log')
      .select(['log_heads.size', 'log_heads.at', 'log_heads.token'])
      .orderBy('log_heads.size', 'desc')
      .limit(1)
      .executeTakeFirst();
  }

  /** @param made the one before: it stays the newest where nothing was added */
  async #make(made: Made | undefined): Promise<Made> {
    const { db, tree, kms, kmsEntries } = this.#options;
    await kmsEntries.fetch();
    if (made?.size === (await tree.size())) return made;
    const { id: log, size, at } = await this.#timed();
    const head: LogHead = { log, size, root: await tree.root(size), at };
    const token = await signByAuditKey(kms, LOG_HEAD_TYPE, head);
    await db
      .insertInto('log_heads')
      .values({ log, size, at, token })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    return { size, at, token };
  }

  /** The log as it is now, with a time that no later leaf or head is before. */
  async #timed(): Promise<{ id: string; size: number; at: number }> {
    const at = this.#options.now();
    return await this.#options.db
      .updateTable('log')
      .set({ at: sql<number>`CASE WHEN at < ${at} THEN ${at} ELSE at END` })
      .returning(['id', 'size', 'at'])
      .executeTakeFirstOrThrow();
  }
}
