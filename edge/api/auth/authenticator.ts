import type { FastifyRequest } from 'fastify';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Limit } from '../../../shared/http/requests-a-minute.ts';
import type { TokenVerifier } from '../../../shared/tokens/token-verifier.ts';
import type { Appliance } from '../../appliance/open-appliance.ts';
import { SCOPES, type Scope } from '../schemas/box.ts';
import type { Principal } from './principal.ts';
import { sessionCookie } from './session-cookie.ts';

const BEARER = /^bearer +(\S{1,4096})$/i;
/** An access token is three texts with dots between; the box's own tokens have no dots. */
const ACCESS_TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Finds out who asks. */
export class Authenticator {
  readonly #appliance: Appliance;
  readonly #limitWrong: Limit;
  readonly #tokens: TokenVerifier | undefined;

  /** @param tokens of the control plane; without it, none of them counts */
  constructor(appliance: Appliance, limitWrong: Limit, tokens: TokenVerifier | undefined) {
    this.#appliance = appliance;
    this.#limitWrong = limitWrong;
    this.#tokens = tokens;
  }

  /**
   * Credentials in the Authorization header count before a session's cookie.
   * @throws {SecureGateError} `unauthenticated` (the same for unknown, wrong, expired and revoked), `rate_limited`, `issuer_unavailable`
   */
  async authenticate(request: FastifyRequest): Promise<Principal> {
    const { authorization } = request.headers;
    const principal = authorization === undefined ? this.#bySession(request) : await this.#byToken(request, authorization);
    if (principal === undefined) throw new SecureGateError('unauthenticated', 'No valid credentials came with this request');
    return principal;
  }

  /** @throws {SecureGateError} `rate_limited` */
  async isAdminToken(request: FastifyRequest, token: string): Promise<boolean> {
    return this.#countWrong(request, await this.#appliance.admin.verify(token));
  }

  /** Uses a login link up. @throws {SecureGateError} `rate_limited` */
  isLoginLink(request: FastifyRequest, link: string): Promise<boolean> {
    return this.#countWrong(request, this.#appliance.loginLinks.take(link));
  }

  /** Only what is wrong is counted: otherwise whoever tries from the same address could keep the admin out. */
  async #countWrong(request: FastifyRequest, right: boolean): Promise<boolean> {
    if (!right) this.#limitWrong(request);
    return right;
  }

  async #byToken(request: FastifyRequest, authorization: string): Promise<Principal | undefined> {
    const token = BEARER.exec(authorization)?.[1];
    if (token === undefined) return undefined;
    if (token.startsWith('sgk_')) return this.#byApiKey(token);
    if (this.#tokens !== undefined && ACCESS_TOKEN.test(token)) return await this.#byAccessToken(request, this.#tokens, token);
    return (await this.isAdminToken(request, token)) ? { kind: 'admin', id: 'admin', session: null } : undefined;
  }

  #byApiKey(key: string): Principal | undefined {
    const record = this.#appliance.apiKeys.authenticate(key);
    if (record === undefined) return undefined;
    const scopes = record.scopes.filter((scope): scope is Scope => (SCOPES as readonly string[]).includes(scope));
    return { kind: 'client', id: record.id, tenant: record.tenant, scopes };
  }

  /** One of the platform has no org, and so no tenant here. */
  async #byAccessToken(request: FastifyRequest, tokens: TokenVerifier, token: string): Promise<Principal> {
    try {
      return { kind: 'account', ...(await tokens.verify(token)) };
    } catch (error) {
      if (SecureGateError.from(error).status === 401) this.#limitWrong(request);
      throw error;
    }
  }

  #bySession(request: FastifyRequest): Principal | undefined {
    const cookie = request.cookies[sessionCookie(request)];
    const session = cookie === undefined ? undefined : this.#appliance.sessions.find(cookie);
    return session && { kind: 'admin', id: 'admin', session };
  }
}
