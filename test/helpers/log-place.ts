import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { AuditLog, type LoggedEntry } from '../../cloud/audit/audit-log.ts';
import { KmsEntries } from '../../cloud/audit/kms-entries.ts';
import { LogHeads } from '../../cloud/audit/log-heads.ts';
import { LogTree } from '../../cloud/audit/log-tree.ts';
import type { KmsClient } from '../../cloud/kms/client.ts';
import { openStore, type Store, type StoreAddress } from '../../cloud/store/open-store.ts';
import type { AuditEntry } from '../../shared/audit/audit-entry.ts';
import { leafHash } from '../../shared/audit/leaf.ts';
import { LOG_HEAD_TYPE, type LogHead, logHeadSchema, verifyLogToken } from '../../shared/audit/log-tokens.ts';
import type { PublicKey } from '../../shared/lease/public-key.ts';
import { testLogger } from './secrecy/test-logger.ts';

/** One process's part of the log of a control plane, under a clock that a test moves. */
export class LogPlace {
  readonly store: Store;
  readonly audit: AuditLog;
  readonly tree: LogTree;
  readonly heads: LogHeads;
  readonly key: PublicKey;
  /** Milliseconds since the Unix epoch. */
  time = Date.parse('2026-11-22T10:00:00Z');

  private constructor(store: Store, kms: Pick<KmsClient, 'call'>, key: PublicKey) {
    const now = (): number => this.time;
    this.store = store;
    this.key = key;
    this.audit = new AuditLog({ db: store.db, now, random: randomBytes });
    this.tree = new LogTree(store.db);
    const parts = { db: store.db, kms, now, random: randomBytes, logger: testLogger('cloud') };
    this.heads = new LogHeads({ ...parts, tree: this.tree, kmsEntries: new KmsEntries(parts) });
  }

  static async open(address: StoreAddress, kms: Pick<KmsClient, 'call'>): Promise<LogPlace> {
    const store = await openStore(address);
    onTestFinished(() => store.close());
    return new LogPlace(store, kms, await kms.call('signingKey', { use: 'audit' }));
  }

  /** Records entries, a second apart. */
  async act(...targets: readonly string[]): Promise<void> {
    for (const target of targets) {
      this.time += 1000;
      await this.audit.record(this.entry(target));
    }
  }

  entry(target: string): AuditEntry {
    const about = { request: 'r', actor: 'usr_a', operation: 'test', org: 'acme', tenant: '', outcome: 'done', evidence: '' };
    return { at: this.time, ...about, target };
  }

  /** A head over all that is in the log. */
  async head(): Promise<{ readonly token: string } & LogHead> {
    this.time += 2000;
    const token = await this.heads.latest();
    return { token, ...(await verifyLogToken(token, LOG_HEAD_TYPE, logHeadSchema, [(await this.heads.keyOf(token)).key])) };
  }

  /** Every entry, in the order of the log. */
  async entries(): Promise<LoggedEntry[]> {
    return await this.entriesOf('acme');
  }

  /** Those about an org; about none where it is empty. */
  async entriesOf(org: string): Promise<LoggedEntry[]> {
    return (await this.audit.list(org, { limit: 1_000_000 })).reverse();
  }
}

/** The leaf of an entry as its reader computes it. */
export function leafOf({ position: _position, leaf: _leaf, loggedAt, salt, ...entry }: LoggedEntry): Buffer {
  return leafHash({ entry, loggedAt, salt: Buffer.from(salt, 'base64url') });
}
