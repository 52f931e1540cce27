import type { GivenRole } from '../../../shared/tokens/token-verifier.ts';
import type { Scope } from '../schemas/box.ts';

/** Who asks. `client` is a program with an API key of one tenant, `account` somebody with a token of the control plane. */
export type Principal =
  | { readonly kind: 'admin'; readonly id: 'admin'; readonly session: { readonly expiresAt: number } | null }
  | { readonly kind: 'client'; readonly id: string; readonly tenant: string; readonly scopes: readonly Scope[] }
  | { readonly kind: 'account'; readonly id: string; readonly org: string; readonly roles: readonly GivenRole[] };

/** What a route asks of whoever calls it: nothing, a browser session of the admin, the admin, or a scope on its tenant. */
export type Access = 'public' | 'session' | 'admin' | Scope;
