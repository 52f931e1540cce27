import type { FastifyRequest } from 'fastify';
import { Certificates } from '../../shared/http/certificates.ts';
import { createHttpApi, listen, requireTlsBeyondLoopback } from '../../shared/http/create-http-api.ts';
import type { Timeouts } from '../../shared/http/create-http-server.ts';
import type { HttpApi } from '../../shared/http/http-api.ts';
import type { ListenConfig } from '../../shared/http/listen-config.ts';
import { addProblems } from '../../shared/http/problems.ts';
import { addRequestLog } from '../../shared/http/request-log.ts';
import { networkOfRequest, requestsAMinute } from '../../shared/http/requests-a-minute.ts';
import { addSecurityHeaders } from '../../shared/http/security-headers.ts';
import { addTenantContext, type TenantContextOptions } from '../../shared/http/tenant-context.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { VerifiedTokens } from '../iam/verified-tokens.ts';
import type { RouteContext } from './cloud-api.ts';
import { addAccess } from './plugins/access.ts';
import { addAudit } from './plugins/audit.ts';
import { addCors } from './plugins/cors.ts';
import { addMetrics, type MetricsOptions } from './plugins/metrics.ts';
import { addOpenApi } from './plugins/openapi.ts';
import { addPressure, type Pressure } from './plugins/pressure.ts';
import { addAuditRoutes } from './routes/audit.ts';
import { addAuthorityRoutes } from './routes/authorities.ts';
import { addCameraRoutes } from './routes/cameras.ts';
import { addCommandRoutes } from './routes/commands.ts';
import { addDeviceRoutes } from './routes/devices.ts';
import { addEnrolmentTokenRoutes } from './routes/enrolment-tokens.ts';
import { addErasureRoutes } from './routes/erasures.ts';
import { addKeyRoutes } from './routes/keys.ts';
import { addOrgRoutes } from './routes/orgs.ts';
import { addPeopleRoutes } from './routes/people.ts';
import { addReceiptRoutes } from './routes/receipts.ts';
import { addRecoveryRoutes } from './routes/recoveries.ts';
import { addShredRoutes } from './routes/shreds.ts';
import { addSystemRoutes } from './routes/system.ts';
import { addTenantKeyRoutes } from './routes/tenant-keys.ts';
import { addTenantRoutes } from './routes/tenants.ts';
import { addUplinkRoutes } from './routes/uplink.ts';

const ROUTES = [
  addSystemRoutes,
  addOrgRoutes,
  addTenantRoutes,
  addTenantKeyRoutes,
  addPeopleRoutes,
  addKeyRoutes,
  addRecoveryRoutes,
  addDeviceRoutes,
  addEnrolmentTokenRoutes,
  addAuthorityRoutes,
  addCameraRoutes,
  addCommandRoutes,
  addReceiptRoutes,
  addUplinkRoutes,
  addShredRoutes,
  addErasureRoutes,
  addAuditRoutes,
];

/** Requests a minute. */
export interface CloudRateLimits {
  readonly perAddress: number;
  readonly perAccount: number;
  readonly wrongTokens: number;
  readonly perOrg: number;
  /** Of one org, for what the HSM works on. */
  readonly keyOperations: number;
}

export interface CloudApiOptions {
  readonly context: RouteContext;
  readonly tokens: Pick<VerifiedTokens, 'verify'>;
  readonly listen: ListenConfig;
  readonly rateLimits: CloudRateLimits;
  readonly findVenue: TenantContextOptions['findVenue'];
  /** Origins of web pages that may ask. */
  readonly corsOrigins: readonly string[];
  readonly pressure: Pressure;
  readonly metrics: MetricsOptions;
  readonly timeouts?: Timeouts | undefined;
  readonly version: string;
  readonly now: () => number;
  /** Milliseconds. */
  readonly monotonic: () => number;
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
  const certificates = tls && new Certificates(tls, logger);
  const api = createHttpApi({ certificates, timeouts, logger });
  await addPlugins(api, certificates, options);
  for (const addRoutes of ROUTES) addRoutes(api, context);
  const url = await listen(api, host, port, tls);
  return { url, stop: () => api.close() };
}

async function addPlugins(api: HttpApi, certificates: Certificates | undefined, options: CloudApiOptions): Promise<void> {
  const { context, tokens, listen, findVenue, rateLimits, version, now, monotonic } = options;
  addProblems(api);
  addRequestLog(api, ({ account }) => (account === undefined ? {} : { account: account.id }));
  await addSecurityHeaders(api, { tls: certificates !== undefined, pages: false });
  await addPressure(api, options.pressure);
  await addCors(api, options.corsOrigins);
  const limit = requestsAMinute(monotonic);
  const perAddress = limit(rateLimits.perAddress, networkOfRequest);
  const perAccount = limit(rateLimits.perAccount, (request) => request.account?.id ?? networkOfRequest(request));
  const perOrg = limit(rateLimits.perOrg, orgOfAccount);
  const keyOperations = limit(rateLimits.keyOperations, orgOfAccount);
  api.addHook('onRequest', (request, _reply, done) => {
    perAddress(request);
    done();
  });
  addTenantContext(api, { certificates, listen, findVenue });
  addAudit(api, context.audit, now);
  addAccess(api, { tokens, people: context.people, orgs: context.orgs, limitWrong: limit(rateLimits.wrongTokens, networkOfRequest) });
  api.addHook('onRequest', (request, _reply, done) => {
    perAccount(request);
    if (request.account !== undefined) perOrg(request);
    if (request.route.config.usesHsm) keyOperations(request);
    done();
  });
  addMetrics(api, options.metrics);
  await addOpenApi(api, version);
}

function orgOfAccount({ account }: FastifyRequest): string {
  return account?.org ?? '';
}
