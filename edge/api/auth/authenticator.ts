import type { FastifyRequest } from 'fastify';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Appliance } from '../../appliance/open-appliance.ts';
import { SCOPES, type Scope } from '../schemas/box.ts';
import type { Principal } from './principal.ts';

/** Name of the session cookie. */
export const SESSION_COOKIE = 'sgs';

const BEARER = /^bearer +(\S{1,200})$/i;

/** Counts an attempt to log in from this address. @throws {SecureGateError} `rate_limited` */
export type LimitAttempts = (request: FastifyRequest) => Promise<void>;

/** Finds out who asks. */
export class Authenticator {
  readonly #appliance: Appliance;
  readonly #limitAttempts: LimitAttempts;

  constructor(appliance: Appliance, limitAttempts: LimitAttempts) {
    this.#appliance = appliance;
    this.#limitAttempts = limitAttempts;
  }

  /**
   * Credentials in the Authorization header count before a session's cookie.
   * @throws {SecureGateError} `unauthenticated` (the same for unknown, wrong, expired and revoked), `rate_limited`
   */
  async authenticate(request: FastifyRequest): Promise<Principal> {
    const { authorization } = request.headers;
    const principal = authorization === undefined ? this.#bySession(request) : await this.#byToken(request, authorization);
    if (principal === undefined) throw new SecureGateError('unauthenticated', 'No valid credentials came with this request');
    return principal;
  }

  /** Checks an admin token. Wrong ones are counted for each address. @throws {SecureGateError} `rate_limited` */
  async isAdminToken(request: FastifyRequest, token: string): Promise<boolean> {
    const { admin } = this.#appliance;
    if (admin.knows(token)) return true;
    await this.#limitAttempts(request);
    return admin.verify(token);
  }

  /** Uses a login link up. @throws {SecureGateError} `rate_limited` */
  async isLoginLink(request: FastifyRequest, link: string): Promise<boolean> {
    await this.#limitAttempts(request);
    return this.#appliance.loginLinks.take(link);
  }

  async #byToken(request: FastifyRequest, authorization: string): Promise<Principal | undefined> {
    const token = BEARER.exec(authorization)?.[1];
    if (token === undefined) return undefined;
    if (token.startsWith('sgk_')) return this.#byApiKey(token);
    return (await this.isAdminToken(request, token)) ? { kind: 'admin', id: 'admin', session: null } : undefined;
  }

  #byApiKey(key: string): Principal | undefined {
    const record = this.#appliance.apiKeys.authenticate(key);
    if (record === undefined) return undefined;
    const scopes = record.scopes.filter((scope): scope is Scope => (SCOPES as readonly string[]).includes(scope));
    return { kind: 'client', id: record.id, tenant: record.tenant, scopes };
  }

  #bySession(request: FastifyRequest): Principal | undefined {
    const cookie = request.cookies[SESSION_COOKIE];
    const session = cookie === undefined ? undefined : this.#appliance.sessions.find(cookie);
    return session && { kind: 'admin', id: 'admin', session };
  }
}
