import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import { BackOff } from '../../shared/runtime/back-off.ts';
import { pause } from '../runtime/pause.ts';
import { syncFolder } from '../runtime/sync-folder.ts';
import { tenantFiles, type VaultClient } from '../vault/client.ts';
import { appearWhole } from './appear-whole.ts';
import { copyFolder, newestCopy, replicaFolder } from './keyring-copies.ts';
import { readKeyringVersion, writeKeyringVersion } from './keyring-version.ts';
import { writeDurably } from './write-durably.ts';

/** A disk in the network can hang: whoever erases somebody waits for so long, and then is answered all the same. */
const PATIENCE_MS = 10_000;
/** The whole of keys.db is copied each time, 2.6 MB at 10,000 customers. */
const ADDITIONS_MS = 1000;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 30_000;
const DRAFT = 'unfinished';

export interface KeyringReplicaOptions {
  readonly vault: Pick<VaultClient, 'whileHeld'>;
  readonly box: string;
  readonly tenant: string;
  readonly dataDir: string;
  /** Must be there: a disk that is not mounted must not be taken for it. */
  readonly replicaDir: string;
  readonly keyDir: string;
  readonly logger: Logger;
}

/**
 * Keeps a copy of a tenant's keyring in another place, always the current one and never an older one beside it: an old keyring
 * would bring back who was erased. Each change makes a new version, which takes the place of the one before as a whole.
 */
export class KeyringReplica {
  readonly #options: KeyringReplicaOptions;
  readonly #backOff = new BackOff(FIRST_RETRY_MS, LONGEST_RETRY_MS);
  readonly #stopping = new AbortController();
  #wanted = 0;
  #reached = 0;
  #behind = false;
  #soon: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #waiting: { readonly wanted: number; readonly done: () => void }[] = [];

  constructor(options: KeyringReplicaOptions) {
    this.#options = options;
  }

  /** Whether the last try to follow the keyring failed, or takes too long. */
  get behind(): boolean {
    return this.#behind;
  }

  /**
   * Follows what the keyring is now. Resolves when that is in the replica and nothing older is, or when it could not be written:
   * what was erased is erased all the same, the box tells that the replica is behind, and goes on trying. Never rejects.
   */
  async follow(): Promise<void> {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#wanted += 1;
    const wanted = this.#wanted;
    this.#working ??= this.#work();
    if (this.#behind) return;
    const followed = Promise.withResolvers<void>();
    this.#waiting.push({ wanted, done: followed.resolve });
    const patience = setTimeout(
      () => this.#fallBehind(new SecureGateError('replica_behind', 'The disk of the replica hangs')),
      PATIENCE_MS,
    );
    await followed.promise;
    clearTimeout(patience);
  }

  /** The same for somebody who was added: nobody waits for that, and all who are added within a second go in one copy. */
  followSoon(): void {
    this.#soon ??= setTimeout(() => void this.follow(), ADDITIONS_MS);
  }

  /**
   * Copies the keyring again where the replica has it no more as of the last erasure or move, each of which writes the header anew: it was
   * removed, or an older one was put back. Never rejects.
   */
  async look(): Promise<void> {
    if (this.#working || (await this.#isCurrent())) return;
    this.#options.logger.info({ tenant: this.#options.tenant }, 'the keyring is copied to its replica again');
    await this.follow();
  }

  /** What is being copied is finished, unless the disk hangs; what could not be copied so far is left to the next start. */
  async stop(): Promise<void> {
    if (this.#soon && !this.#behind) await this.follow();
    clearTimeout(this.#soon);
    this.#stopping.abort();
    if (!this.#behind) await this.#working;
  }

  /** The keyring is gone: nothing is copied any more when this resolves. */
  async abandon(): Promise<void> {
    clearTimeout(this.#soon);
    this.#stopping.abort();
    await this.#working;
  }

  async #work(): Promise<void> {
    const { signal } = this.#stopping;
    while (this.#reached < this.#wanted && !signal.aborted) {
      const wanted = this.#wanted;
      try {
        await this.#copy();
        this.#catchUp(wanted);
      } catch (error) {
        // Somebody was erased meanwhile: what was copied is worth nothing any more.
        if (SecureGateError.from(error).code === 'copy_outdated') continue;
        this.#fallBehind(error);
        await pause(this.#backOff.next(), signal);
      }
    }
    // In one step with the look above: whoever comes later begins anew.
    this.#working = undefined;
    this.#answer(this.#wanted);
  }

  #catchUp(reached: number): void {
    if (this.#behind) this.#options.logger.info({ tenant: this.#options.tenant }, 'the replica of the keyring is up to date again');
    this.#behind = false;
    this.#backOff.reset();
    this.#reached = reached;
    this.#answer(reached);
  }

  #fallBehind(error: unknown): void {
    if (!this.#behind) this.#options.logger.error({ err: error, tenant: this.#options.tenant }, 'the replica of the keyring is behind');
    this.#behind = true;
    this.#answer(this.#wanted);
  }

  /** Lets those go on who wait for this version or an earlier one. */
  #answer(version: number): void {
    const answered = this.#waiting.filter(({ wanted }) => wanted <= version);
    this.#waiting = this.#waiting.filter(({ wanted }) => wanted > version);
    for (const { done } of answered) done();
  }

  async #isCurrent(): Promise<boolean> {
    const { box, tenant, dataDir, replicaDir } = this.#options;
    const { header } = tenantFiles(dataDir, tenant);
    try {
      const copy = await newestCopy(replicaFolder(replicaDir, box, tenant));
      if (copy === undefined) return false;
      const [present, copied] = await Promise.all([readFile(header), readFile(join(copy.folder, basename(header)))]);
      return present.equals(copied);
    } catch {
      return false;
    }
  }

  async #copy(): Promise<void> {
    const { vault, box, tenant, replicaDir, keyDir } = this.#options;
    if (!(await stat(replicaDir)).isDirectory()) throw new SecureGateError('storage_failed', 'The place of the replica is no folder');
    const replica = replicaFolder(replicaDir, box, tenant);
    const made = await mkdir(replica, { recursive: true, mode: 0o700 });
    if (made !== undefined) for (const folder of [replicaDir, dirname(replica)]) syncFolder(folder);
    const known = await readKeyringVersion(keyDir, tenant);
    const version = Math.max(known, (await newestCopy(replica))?.version ?? 0) + 1;
    const folder = copyFolder(replica, version);
    const draft = join(replica, DRAFT);
    await appearWhole(folder, draft, () =>
      vault.whileHeld('keyring', async ({ header, keysDb }) => {
        for (const path of [header, keysDb]) await writeDurably(join(draft, basename(path)), createReadStream(path));
      }),
    );
    for (const name of await readdir(replica)) {
      if (name !== basename(folder)) await rm(join(replica, name), { recursive: true });
    }
    syncFolder(replica);
    await writeKeyringVersion(keyDir, tenant, version);
  }
}
