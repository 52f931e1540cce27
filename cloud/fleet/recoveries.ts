import type { Kysely } from 'kysely';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { MOST_TOLD_RECOVERIES, type SignedRecovery, signedRecoverySchema, type ToldRecoveries } from '../../shared/lease/recovery.ts';
import { parseRecovery, verifyRecovery } from '../../shared/lease/verify-recovery.ts';
import type { KmsClient } from '../kms/client.ts';
import type { Database } from '../store/database.ts';

export interface RecoveriesOptions {
  readonly db: Kysely<Database>;
  readonly kms: Pick<KmsClient, 'call'>;
  readonly now: () => number;
}

/** What the recovery keys of orgs have signed after the loss of an HSM, on its way to their boxes. They judge it by themselves, and so does the KMS. */
export class Recoveries {
  readonly #options: RecoveriesOptions;

  constructor(options: RecoveriesOptions) {
    this.#options = options;
  }

  /**
   * Keeps a recovery for the boxes of its org. That it was signed is looked at here only so that whoever sends it learns what is missing.
   * @throws {SecureGateError} `recovery_rejected`, `admins_missing`; `conflict` where another one of its id is there
   */
  async keep(org: string, id: string, signed: SignedRecovery): Promise<void> {
    const { db, kms, now } = this.#options;
    const recovery = await verifyRecovery(signed, await kms.call('getAdmins', { org }), now());
    if (recovery.id !== id) throw new SecureGateError('recovery_rejected', 'It has another id', { details: { id: recovery.id } });
    const row = { org, id, drafted_at: recovery.iat * 1000, ends_at: recovery.exp * 1000, signed: JSON.stringify(signed) };
    await db
      .insertInto('recoveries')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    // Whoever signs later than enough others does not change what it says.
    if ((await this.get(org, id)).payload !== signed.payload) throw new SecureGateError('conflict', 'Another recovery has this id');
  }

  /** All that were ever kept for an org, the first one first. */
  async list(org: string): Promise<SignedRecovery[]> {
    const rows = await this.#options.db
      .selectFrom('recoveries')
      .select('signed')
      .where('org', '=', org)
      .orderBy('drafted_at')
      .orderBy('id')
      .execute();
    return rows.map(({ signed }) => signedRecoverySchema.parse(JSON.parse(signed)));
  }

  /** @throws {SecureGateError} `recovery_rejected` where there is none */
  async get(org: string, id: string): Promise<SignedRecovery> {
    const { db } = this.#options;
    const row = await db.selectFrom('recoveries').select('signed').where('org', '=', org).where('id', '=', id).executeTakeFirst();
    if (row === undefined) throw new SecureGateError('recovery_rejected', 'There is no such recovery', { details: { id } });
    return signedRecoverySchema.parse(JSON.parse(row.signed));
  }

  /** @param followed id of the newest one that a box has followed @returns undefined where there is nothing that it could follow beyond that */
  async later(org: string, followed: string | undefined): Promise<ToldRecoveries | undefined> {
    const { kms, now } = this.#options;
    const kept = await this.list(org);
    const last = kept.findIndex(({ payload }) => parseRecovery(payload).id === followed);
    const hold = kept.slice(last + 1).filter(({ payload }) => parseRecovery(payload).exp * 1000 > now());
    if (hold.length === 0) return undefined;
    return { admins: await kms.call('signedAdmins', { org }), recoveries: hold.slice(-MOST_TOLD_RECOVERIES) };
  }
}
