import { createHash, timingSafeEqual } from 'node:crypto';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { HttpApi } from '../../../shared/http/http-api.ts';
import { isLoopback } from '../../../shared/net/is-loopback.ts';
import { type CloudFigures, type CloudMetrics, METRICS_TYPE } from '../metrics.ts';

export interface MetricsOptions {
  readonly metrics: CloudMetrics;
  readonly figures: () => Promise<CloudFigures>;
  /** Whom `GET /metrics` answers; without one, this machine. */
  readonly token: Buffer | undefined;
}

/** Counts what is asked and what it comes to, and tells it to Prometheus. */
export function addMetrics(api: HttpApi, { metrics, figures, token }: MetricsOptions): void {
  api.addHook('onResponse', (request, reply, done) => {
    metrics.tookRequest(request.method, request.route.url ?? 'none', reply.statusCode, reply.elapsedTime / 1000);
    if (request.refusal !== undefined) metrics.refused(request.refusal);
    done();
  });
  api.get('/metrics', { config: { operation: 'open' }, schema: { hide: true } }, async ({ ip, headers }, reply) => {
    requireReader(token, ip, headers.authorization);
    return reply.type(METRICS_TYPE).send(Buffer.from(await metrics.text(await figures())));
  });
}

/**
 * With a token, whoever shows it may read, from wherever; without, programs on this machine alone.
 * @throws {SecureGateError} `unauthenticated`, `forbidden`
 */
export function requireReader(token: Buffer | undefined, ip: string, authorization = ''): void {
  if (token === undefined) {
    if (!isLoopback(ip)) throw new SecureGateError('forbidden', 'Metrics are for this machine, or for whom a token is configured');
    return;
  }
  const [, shown = ''] = /^bearer +(\S{1,4096})$/i.exec(authorization) ?? [];
  const [given, wanted] = [Buffer.from(shown), token].map((text) => createHash('sha256').update(text).digest());
  if (given === undefined || wanted === undefined || !timingSafeEqual(given, wanted)) {
    throw new SecureGateError('unauthenticated', 'This is not the token for metrics');
  }
}
