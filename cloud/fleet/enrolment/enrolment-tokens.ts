import type { Kysely, Selectable } from 'kysely';
import { z } from 'zod';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { formatEnrolmentToken, hashEnrolmentSecret, newEnrolmentSecret } from '../../../shared/fleet/enrolment-token.ts';
import { idSchema } from '../../../shared/ids/ids.ts';
import { nameSchema } from '../../../shared/ids/name-schema.ts';
import type { Database } from '../../store/database.ts';
import { type Page, type PageQuery, pageOf } from '../../store/page.ts';
import { type Authorities, fingerprintOf } from '../pki/authorities.ts';

const MOST_HOURS = 720;

export const newEnrolmentTokenSchema = z
  .strictObject({
    name: nameSchema.optional().describe('Name of the box that it is for; without it, the box says its name.'),
    hours: z.int().min(1).max(MOST_HOURS).default(24).describe('How long it counts.'),
  })
  .meta({ id: 'NewEnrolmentToken', examples: [{ name: 'Main hall, rack 2', hours: 24 }] });

const EXAMPLE = {
  id: 'ent_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  name: 'Main hall, rack 2',
  state: 'open',
  device: null,
  madeBy: 'usr_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  createdAt: '2026-11-22T10:00:00.000Z',
  expiresAt: '2026-11-23T10:00:00.000Z',
  usedAt: null,
};

export const enrolmentTokenSchema = z
  .strictObject({
    id: idSchema('enrolmentToken'),
    name: z.string().nullable(),
    state: z.enum(['open', 'used', 'ended']),
    device: idSchema('box').nullable().describe('The box that used it.'),
    madeBy: z.string(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    usedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'EnrolmentToken', examples: [EXAMPLE] });
export type EnrolmentToken = z.output<typeof enrolmentTokenSchema>;

export const madeEnrolmentTokenSchema = enrolmentTokenSchema
  .extend({ token: z.string().describe('Shown now and never again.') })
  .meta({ id: 'MadeEnrolmentToken', examples: [{ ...EXAMPLE, token: 'sge_…' }] });

type Row = Selectable<Database['enrolment_tokens']>;

/** Who is about to use a token: the box, and the hash of the key that it showed. */
export interface TokenUser {
  readonly device: string;
  readonly key: string;
}

export interface EnrolmentTokensOptions {
  readonly db: Kysely<Database>;
  readonly authorities: Authorities;
  readonly now: () => number;
  readonly random: (size: number) => Buffer;
}

/** Tokens by which boxes enrol, each of one org and for one box. Only their hashes are kept. */
export class EnrolmentTokens {
  readonly #options: EnrolmentTokensOptions;

  constructor(options: EnrolmentTokensOptions) {
    this.#options = options;
  }

  /**
   * @param madeBy id of the account
   * @throws {SecureGateError} `org_not_found`, and the KMS's where there is no authority yet
   */
  async create(
    org: string,
    { name = '', hours }: z.output<typeof newEnrolmentTokenSchema>,
    madeBy: string,
  ): Promise<EnrolmentToken & { readonly token: string }> {
    const { db, authorities, now, random } = this.#options;
    const known = await db.selectFrom('orgs').select('id').where('id', '=', org).executeTakeFirst();
    if (known === undefined) throw new SecureGateError('org_not_found', 'There is no such org');
    const secret = newEnrolmentSecret(random);
    const at = now();
    const row: Row = {
      ...{ id: secret.id, org, name, made_by: madeBy },
      hash: hashEnrolmentSecret(secret.secret),
      created_at: at,
      expires_at: at + hours * 3_600_000,
      ...{ used_by: '', used_key: '', used_at: null },
    };
    const token = formatEnrolmentToken(secret, fingerprintOf((await authorities.present()).certificate));
    await db.insertInto('enrolment_tokens').values(row).execute();
    return { ...viewOf(row, at), token };
  }

  async list(org: string, { cursor = '', limit }: PageQuery): Promise<Page<EnrolmentToken>> {
    const found = await this.#options.db
      .selectFrom('enrolment_tokens')
      .selectAll()
      .where('org', '=', org)
      .where('id', '>', cursor)
      .orderBy('id')
      .limit(limit + 1)
      .execute();
    return pageOf(found, limit, { id: ({ id }) => id, view: (row) => viewOf(row, this.#options.now()) });
  }

  /** From now on it enrols nobody. @throws {SecureGateError} `record_not_found` */
  async revoke(org: string, id: string): Promise<void> {
    const { db, now } = this.#options;
    const own = await db.selectFrom('enrolment_tokens').select('id').where('org', '=', org).where('id', '=', id).executeTakeFirst();
    if (own === undefined) throw new SecureGateError('record_not_found', 'This org has no such enrolment token');
    await db.updateTable('enrolment_tokens').set({ expires_at: now() }).where('id', '=', id).where('expires_at', '>', now()).execute();
  }
}

/** Whose token a secret is, whether it still counts or not; undefined where there is none. */
export async function findToken(db: Kysely<Database>, secret: string): Promise<Pick<Row, 'id' | 'org' | 'name'> | undefined> {
  const hash = hashEnrolmentSecret(secret);
  return await db.selectFrom('enrolment_tokens').select(['id', 'org', 'name']).where('hash', '=', hash).executeTakeFirst();
}

/**
 * Uses a token up, at once for all who try at the same time. The same box may use it again with the same key while it counts: it was
 * cut off before its certificate reached it.
 * @throws {SecureGateError} `enrolment_token_rejected`
 */
export async function useToken(db: Kysely<Database>, id: string, { device, key }: TokenUser, now: number): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('enrolment_tokens')
    .set({ used_by: device, used_key: key, used_at: now })
    .where('id', '=', id)
    .where('expires_at', '>', now)
    .where(({ and, eb, or }) => or([eb('used_by', '=', ''), and([eb('used_by', '=', device), eb('used_key', '=', key)])]))
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new SecureGateError('enrolment_token_rejected', 'This enrolment token does not count');
}

/** What a box used to enrol before counts no more, not even for itself. @param except id of the token that it uses now */
export async function endTokensOf(db: Kysely<Database>, device: string, now: number, except = ''): Promise<void> {
  await db
    .updateTable('enrolment_tokens')
    .set({ expires_at: now })
    .where('used_by', '=', device)
    .where('expires_at', '>', now)
    .where('id', '<>', except)
    .execute();
}

function viewOf(row: Row, now: number): EnrolmentToken {
  const used = row.used_by !== '';
  return {
    ...{ id: row.id, name: row.name || null, madeBy: row.made_by, device: row.used_by || null },
    state: used ? 'used' : row.expires_at > now ? 'open' : 'ended',
    createdAt: new Date(row.created_at).toISOString(),
    expiresAt: new Date(row.expires_at).toISOString(),
    usedAt: row.used_at === null ? null : new Date(row.used_at).toISOString(),
  };
}
