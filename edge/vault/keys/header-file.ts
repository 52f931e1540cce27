import { readFileSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { syncFolder } from '../../runtime/sync-folder.ts';
import { writeFileDurably } from '../../runtime/write-file-durably.ts';
import type { VaultScope } from '../scope.ts';
import type { HeaderKeys } from './header-key.ts';
import type { KeySource } from './key-source.ts';
import { formatHeader, type KeyringHeader, openHeader, openPrevious, parseHeader } from './keyring-header.ts';
import { moveHeader, requireSameKeys } from './move-header.ts';
import { renewHeaderKeys } from './renew-header-keys.ts';
import { wipeKeys } from './wipe-keys.ts';

/**
 * header.json of one vault. The tenant key is fetched for each change and wiped after it; the header's keys belong to the caller.
 * A change is on the disk when its method returns, and a crash within it leaves the header of before or of after.
 * One change at a time: the vault answers one request after the other.
 */
export class HeaderFile {
  readonly #path: string;
  readonly #scope: VaultScope;
  readonly #source: KeySource;
  #header: KeyringHeader | undefined;
  /** Whether the keys of earlier epochs are known to be gone. */
  #retired = false;
  #writes = 0;

  constructor(path: string, scope: VaultScope, source: KeySource) {
    this.#path = path;
    this.#scope = scope;
    this.#source = source;
  }

  /** How often it was written since it was opened. */
  get writes(): number {
    return this.#writes;
  }

  /** The epoch whose key opens this header. */
  get epoch(): number {
    return this.#read().epoch;
  }

  /**
   * The last epoch whose key may open any header that ever was on the disk: a move that was cut off can have left
   * one of the next epoch there, and somebody a copy of it.
   */
  get reach(): number {
    return this.#read().movingTo ?? this.epoch;
  }

  /**
   * Reads the header and opens its keys, which the caller wipes.
   * @returns `previous`: the shard keys before these, where a re-keying was cut off
   * @throws {SecureGateError} `key_rejected`, `vault_corrupt`, those of KeySource.open
   */
  async open(): Promise<{ keys: HeaderKeys; previous: HeaderKeys }> {
    const header = parseHeader(readFileSync(this.#path), this.#scope);
    const opened = await this.#withTenantKey(header.epoch, (tek) => ({
      keys: openHeader(header, tek, this.#scope),
      previous: openPrevious(header, tek, this.#scope),
    }));
    this.#header = header;
    return opened;
  }

  /**
   * Replaces these keys by fresh ones. Shard keys are kept beside their successors until `dropPrevious`.
   * @returns the new keys, which the caller wipes
   */
  async renew(names: Iterable<string>): Promise<HeaderKeys> {
    return this.#withTenantKey(this.epoch, (tek) => {
      const { header, keys } = renewHeaderKeys(this.#read(), names, tek, this.#scope);
      try {
        this.#write(header);
      } catch (error) {
        wipeKeys(keys);
        throw error;
      }
      return keys;
    });
  }

  /** No customer's key is under the shard keys of before any more: they go for ever. */
  dropPrevious(): void {
    const { previous: _gone, ...header } = this.#read();
    this.#write(header);
  }

  /**
   * Puts the header under the key of the next epoch, or of a later one where several were missed, then has the key source forget those before.
   * What is about to happen is written down first; the new header is read back from the disk, opened and compared before it takes the old
   * one's place.
   */
  async move(): Promise<void> {
    // Where a move was cut off, never back behind what it may have left on the disk.
    const next = await this.#source.prepare(Math.max(this.reach, this.epoch + 1));
    if (this.reach !== next) this.#write({ ...this.#read(), movingTo: next });
    await this.#withTenantKey(this.epoch, (from) => this.#withTenantKey(next, (to) => this.#replace(from, to, next)));
    this.#retired = false;
    await this.finishMove();
  }

  /** Brings a move to its end that was cut off. */
  async finishMove(): Promise<void> {
    if (this.reach !== this.epoch) return this.move();
    if (this.#retired) return;
    await this.#source.retire(this.epoch);
    this.#retired = true;
  }

  /** Whatever still waits for the tenant key fails. */
  close(): void {
    this.#header = undefined;
  }

  #replace(from: Buffer, to: Buffer, epoch: number): void {
    const header = this.#read();
    const draft = `${this.#path}.moved`;
    writeFileDurably(draft, formatHeader(moveHeader(header, from, to, epoch, this.#scope)));
    const moved = parseHeader(readFileSync(draft), this.#scope);
    requireSameKeys(header, from, moved, to, this.#scope);
    renameSync(draft, this.#path);
    syncFolder(dirname(this.#path));
    this.#header = moved;
    this.#writes += 1;
  }

  #write(header: KeyringHeader): void {
    writeFileDurably(this.#path, formatHeader(header));
    this.#header = header;
    this.#writes += 1;
  }

  #read(): KeyringHeader {
    if (!this.#header) throw new SecureGateError('vault_unavailable', 'The vault is not open');
    return this.#header;
  }

  async #withTenantKey<Result>(epoch: number, use: (tek: Buffer) => Result | Promise<Result>): Promise<Result> {
    const tek = await this.#source.open(epoch);
    try {
      return await use(tek);
    } finally {
      tek.fill(0);
    }
  }
}
