import { createHash, randomBytes } from 'node:crypto';
import { newId } from '../ids/ids.ts';

/** `sge_<id without its prefix>_<secret>_<authority>`: leaked tokens are found by the form of their text. */
const TOKEN = /^(sge_[a-z2-7]{26}_[\w-]{43})_([\w-]{43})$/;

export interface EnrolmentSecret {
  readonly id: string;
  /** The part that nobody can guess, and by which the control plane knows the token. */
  readonly secret: string;
}

export function newEnrolmentSecret(random: (size: number) => Buffer = randomBytes): EnrolmentSecret {
  const id = newId('enrolmentToken', random);
  return { id, secret: `sge_${id.slice(id.indexOf('_') + 1)}_${random(32).toString('base64url')}` };
}

/** @param authority SHA-256 of the certificate (DER) of the authority that the box is to believe, base64url */
export function formatEnrolmentToken({ secret }: EnrolmentSecret, authority: string): string {
  return `${secret}_${authority}`;
}

/** @returns undefined for what is no token */
export function parseEnrolmentToken(token: string): { readonly secret: string; readonly authority: string } | undefined {
  const [, secret, authority] = TOKEN.exec(token) ?? [];
  return secret === undefined || authority === undefined ? undefined : { secret, authority };
}

/** What is stored in place of a secret: nobody finds 256 random bits by trying, so that one round of SHA-256 is enough. */
export function hashEnrolmentSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}
