import type Database from 'better-sqlite3';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { asVaultError } from './as-vault-error.ts';

/** Reads every page of a database. @throws {SecureGateError} `vault_corrupt` */
export function requireIntact(database: Database.Database): void {
  let found: unknown;
  try {
    found = database.pragma('integrity_check(1)', { simple: true });
  } catch (error) {
    throw asVaultError(error);
  }
  if (found !== 'ok') throw new SecureGateError('vault_corrupt', 'A database of this vault is damaged');
}
