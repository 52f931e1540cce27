import { decodeJwt } from 'jose';
import type { TokenSubject, TokenVerifier } from '../../shared/tokens/token-verifier.ts';

/** A key that its issuer withdrew counts no longer than this. */
const REMEMBERED_MS = 30_000;
const MOST = 10_000;

/**
 * Remembers for a moment which access tokens were verified: a signature takes longer to check than all the rest of a request. What its
 * bearer may do is not remembered with it; that is looked up for each request.
 */
export class VerifiedTokens {
  readonly #tokens: Pick<TokenVerifier, 'verify'>;
  readonly #now: () => number;
  /** The oldest come first. */
  readonly #verified = new Map<string, { readonly subject: TokenSubject; readonly until: number }>();

  constructor(tokens: Pick<TokenVerifier, 'verify'>, now: () => number) {
    this.#tokens = tokens;
    this.#now = now;
  }

  /** At once where it is known. @throws {SecureGateError} those of the verifier */
  verify(token: string): TokenSubject | Promise<TokenSubject> {
    const known = this.#verified.get(token);
    if (known !== undefined && this.#now() < known.until) return known.subject;
    this.#verified.delete(token);
    return this.#verifyNow(token);
  }

  async #verifyNow(token: string): Promise<TokenSubject> {
    const subject = await this.#tokens.verify(token);
    const { exp = 0 } = decodeJwt(token);
    const now = this.#now();
    this.#verified.set(token, { subject, until: Math.min(exp * 1000, now + REMEMBERED_MS) });
    // Tokens are secrets: those that are of no more use go as soon as another comes.
    for (const [oldest, { until }] of this.#verified) {
      if (now < until && this.#verified.size <= MOST) break;
      this.#verified.delete(oldest);
    }
    return subject;
  }
}
