import { createHttpApi, listen, requireTlsBeyondLoopback } from '../../shared/http/create-http-api.ts';
import type { Timeouts, TlsFiles } from '../../shared/http/create-http-server.ts';
import { addHostCheck } from '../../shared/http/host-check.ts';
import type { HttpApi } from '../../shared/http/http-api.ts';
import { addProblems } from '../../shared/http/problems.ts';
import { addRequestLog } from '../../shared/http/request-log.ts';
import { networkOfRequest, requestsAMinute } from '../../shared/http/requests-a-minute.ts';
import { addSecurityHeaders } from '../../shared/http/security-headers.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { TokenVerifier } from '../iam/verify-token.ts';
import type { RouteContext } from './cloud-api.ts';
import { addAccess } from './plugins/access.ts';
import { addAudit } from './plugins/audit.ts';
import { addOpenApi } from './plugins/openapi.ts';
import { addAuditRoutes } from './routes/audit.ts';
import { addKeyRoutes } from './routes/keys.ts';
import { addOrgRoutes } from './routes/orgs.ts';
import { addPeopleRoutes } from './routes/people.ts';
import { addSystemRoutes } from './routes/system.ts';
import { addTenantRoutes } from './routes/tenants.ts';

/** Requests a minute. */
export interface CloudRateLimits {
  readonly perAddress: number;
  readonly perAccount: number;
  readonly wrongTokens: number;
}

export interface CloudApiOptions {
  readonly context: RouteContext;
  readonly tokens: TokenVerifier;
  readonly listen: { readonly host: string; readonly port: number; readonly tls?: TlsFiles | undefined };
  readonly rateLimits: CloudRateLimits;
  readonly timeouts?: Timeouts | undefined;
  readonly version: string;
  readonly now: () => number;
  readonly logger: Logger;
}

export interface RunningCloudApi {
  /** Where it is reached, without a slash at the end. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts the control plane's HTTP server.
 * @throws {SecureGateError} `config_invalid` (plain HTTP asked for beyond loopback, certificate unreadable, port taken)
 */
export async function startCloudApi(options: CloudApiOptions): Promise<RunningCloudApi> {
  const { context, timeouts, logger } = options;
  const { host, port, tls } = options.listen;
  requireTlsBeyondLoopback(host, tls);
  const api = createHttpApi({ tls, timeouts, logger });
  await addPlugins(api, options);
  for (const addRoutes of [addSystemRoutes, addOrgRoutes, addTenantRoutes, addPeopleRoutes, addKeyRoutes, addAuditRoutes])
    addRoutes(api, context);
  const url = await listen(api, host, port, tls);
  return { url, stop: () => api.close() };
}

async function addPlugins(api: HttpApi, { context, tokens, listen: { tls }, rateLimits, version, now }: CloudApiOptions): Promise<void> {
  addProblems(api);
  addRequestLog(api, ({ account }) => (account === undefined ? {} : { account: account.id }));
  await addSecurityHeaders(api, { tls: tls !== undefined });
  if (tls === undefined) addHostCheck(api);
  const limit = await requestsAMinute(api);
  const perAddress = limit(rateLimits.perAddress, networkOfRequest);
  const perAccount = limit(rateLimits.perAccount, (request) => request.account?.id ?? networkOfRequest(request));
  api.addHook('onRequest', (request) => perAddress(request));
  addAudit(api, context.audit, now);
  addAccess(api, { tokens, people: context.people, orgs: context.orgs, limitWrong: limit(rateLimits.wrongTokens, networkOfRequest) });
  api.addHook('preParsing', async (request, _reply, payload) => {
    await perAccount(request);
    return payload;
  });
  await addOpenApi(api, version);
}
