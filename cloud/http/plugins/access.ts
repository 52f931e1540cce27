import type { FastifyRequest } from 'fastify';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { HttpApi } from '../../../shared/http/http-api.ts';
import type { Limit } from '../../../shared/http/requests-a-minute.ts';
import { type Confines, isWithin } from '../../../shared/http/tenant-context.ts';
import { whenThere } from '../../../shared/runtime/when-there.ts';
import { mayDo } from '../../iam/authorise.ts';
import { OPERATIONS, type Operation, type OperationName } from '../../iam/operations.ts';
import type { Account, People } from '../../iam/people.ts';
import type { VerifiedTokens } from '../../iam/verified-tokens.ts';
import type { Feature } from '../../tenants/org.ts';
import type { Orgs } from '../../tenants/orgs.ts';

const BEARER = /^bearer +([\w.-]{1,4096})$/i;

export interface AccessOptions {
  readonly tokens: Pick<VerifiedTokens, 'verify'>;
  readonly people: People;
  readonly orgs: Orgs;
  /** Counts a token that does not count. */
  readonly limitWrong: Limit;
}

/** Lets nobody through whom the table of operations does not name, before anything of the body is read. */
export function addAccess(api: HttpApi, options: AccessOptions): void {
  api.decorateRequest('account', undefined);
  api.addHook('onRoute', ({ method, url, config }) => {
    if (config?.operation === undefined) throw new SecureGateError('internal', `Route ${String(method)} ${url} has no row in the table`);
  });
  api.addHook('onRequest', (request, _reply, done) => {
    const { operation } = request.route.config;
    // Only what is no route at all has none: it is answered with 404 and nothing else.
    if (operation === undefined || operation === 'open') {
      done();
      return;
    }
    const admitted = whenThere(authenticate(request, options), (account) => admit(request, account, operation, options));
    if (admitted instanceof Promise) admitted.then(() => done(), done);
    else done();
  });
}

function admit(
  request: FastifyRequest,
  account: Account,
  operation: OperationName,
  { orgs }: AccessOptions,
): undefined | Promise<undefined> {
  request.account = account;
  const subject = subjectOf(request);
  const { confines, venue } = request;
  if (!isWithin(confines, subject) || (venue !== undefined && venue.org !== account.org)) {
    throw new SecureGateError('outside_tenant', 'Host name, headers, path and token do not name the same tenant');
  }
  // One answer for every reason: nobody learns which orgs and tenants there are.
  if (!mayDo(operation, account.grants, subject)) throw new SecureGateError('forbidden', 'This account may not do that');
  const { feature }: Operation = OPERATIONS[operation];
  return feature === undefined || subject.org === undefined ? undefined : requireFeature(orgs, subject.org, feature);
}

async function requireFeature(orgs: Orgs, org: string, feature: Feature): Promise<undefined> {
  if ((await orgs.get(org)).features.includes(feature)) return;
  throw new SecureGateError('feature_disabled', 'This org does not have that', { details: { feature } });
}

/** What a request is about, as its path names it. */
export function subjectOf({ params }: FastifyRequest): Confines {
  const { org, tenant } = (params ?? {}) as Confines;
  return { org, tenant };
}

/** At once where its token was verified and its account is remembered. */
function authenticate(request: FastifyRequest, { tokens, people, limitWrong }: AccessOptions): Account | Promise<Account> {
  const [, token] = BEARER.exec(request.headers.authorization ?? '') ?? [];
  if (token === undefined) throw new SecureGateError('unauthenticated', 'The request carries no access token');
  const refuse = (error: unknown): never => {
    if (error instanceof SecureGateError && error.status === 401) limitWrong(request);
    throw error;
  };
  try {
    const account = whenThere(tokens.verify(token), ({ id, org }) => whenThere(people.account(id), (known) => ofOrg(known, org)));
    return account instanceof Promise ? account.catch(refuse) : account;
  } catch (error) {
    return refuse(error);
  }
}

function ofOrg(account: Account | undefined, org: string): Account {
  if (account === undefined || account.org !== org) throw new SecureGateError('unauthenticated', 'This access token does not count');
  return account;
}
