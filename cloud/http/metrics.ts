import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Connections } from '../store/open-store.ts';

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** From a millisecond, which most answers take, to the half minute that the KMS is given. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What is looked up when somebody asks. */
export interface CloudFigures {
  /** Connections to Postgres; null with SQLite, which has one. */
  readonly connections: Connections | null;
  /** Tenants that wait for their key. */
  readonly unfinishedTenants: number;
  /** What the broker of this process has done since it started; null where it has none. */
  readonly broker: BrokerFigures | null;
  /** What boxes told and this process did not take, by reason. */
  readonly uplinkRefused: Readonly<Record<string, number>>;
  /** Of the copy of the log; null where it is copied nowhere. */
  readonly logCopy: LogCopyFigures | null;
}

interface LogCopyFigures {
  readonly lag: number;
  readonly copiedAt: number | null;
  /** By code. */
  readonly failures: Readonly<Record<string, number>>;
}

interface BrokerFigures {
  readonly connections: number;
  readonly received: number;
  readonly lost: number;
  /** By reason. */
  readonly refused: Readonly<Record<string, number>>;
  readonly denied: Readonly<Record<string, number>>;
}

/** Figures of this process for Prometheus. No org, tenant or person is in a label: who may read them reads nothing about anybody. */
export class CloudMetrics {
  readonly #registry = new Registry();
  readonly #requests = new Histogram({
    name: 'securegate_cloud_request_seconds',
    help: 'Time from a request to its answer, by the pattern of its route',
    labelNames: ['method', 'route', 'status'],
    buckets,
    registers: [this.#registry],
  });
  readonly #refusals = new Counter({
    name: 'securegate_cloud_refusals_total',
    help: 'Requests that were refused, by the code of the refusal',
    labelNames: ['code'],
    registers: [this.#registry],
  });
  readonly #queries = new Histogram({
    name: 'securegate_cloud_database_seconds',
    help: 'Time of a query',
    labelNames: ['outcome'],
    buckets,
    registers: [this.#registry],
  });
  readonly #kmsCalls = new Histogram({
    name: 'securegate_cloud_kms_seconds',
    help: 'Time of a call of the KMS, by what it came to',
    labelNames: ['operation', 'outcome'],
    buckets,
    registers: [this.#registry],
  });
  readonly #connections = new Gauge({
    name: 'securegate_cloud_database_connections',
    help: 'Connections to Postgres, and queries that wait for one',
    labelNames: ['state'],
    registers: [this.#registry],
  });
  readonly #unfinished = new Gauge({
    name: 'securegate_cloud_unfinished_tenants',
    help: 'Tenants that wait for their key',
    registers: [this.#registry],
  });

  readonly #boxes = new Gauge({
    name: 'securegate_cloud_connected_boxes',
    help: 'Boxes that are connected to the broker of this process',
    registers: [this.#registry],
  });
  readonly #messages = new Counter({
    name: 'securegate_cloud_broker_messages_total',
    help: 'Messages to the broker, and those of them that were lost because too many waited',
    labelNames: ['outcome'],
    registers: [this.#registry],
  });
  readonly #turnedAway = new Counter({
    name: 'securegate_cloud_broker_refusals_total',
    help: 'Connections that the broker did not let in, and what it did not let boxes do, by reason',
    labelNames: ['what', 'reason'],
    registers: [this.#registry],
  });

  readonly #uplinkRefusals = new Counter({
    name: 'securegate_cloud_uplink_refusals_total',
    help: 'Sightings that are too old or of a time to come, and batches of a tenant to which their box is not assigned',
    labelNames: ['reason'],
    registers: [this.#registry],
  });

  readonly #copyLag = new Gauge({
    name: 'securegate_cloud_log_copy_lag_leaves',
    help: 'Entries of the audit log that are not in its bucket yet',
    registers: [this.#registry],
  });
  readonly #copiedAt = new Gauge({
    name: 'securegate_cloud_log_copy_time_seconds',
    help: 'When all of the audit log was in its bucket the last time, Unix time; 0 before the first',
    registers: [this.#registry],
  });
  readonly #copyFailures = new Counter({
    name: 'securegate_cloud_log_copy_failures_total',
    help: 'How often this process could not copy the audit log to its bucket, by code',
    labelNames: ['code'],
    registers: [this.#registry],
  });

  /** Begins to watch the process itself: its memory, its processor time, its event loop. */
  start(): void {
    collectDefaultMetrics({ register: this.#registry });
  }

  stop(): void {
    this.#registry.clear();
  }

  tookRequest(method: string, route: string, status: number, seconds: number): void {
    this.#requests.observe({ method, route, status }, seconds);
  }

  refused(code: string): void {
    this.#refusals.inc({ code });
  }

  tookQuery(outcome: 'done' | 'failed', seconds: number): void {
    this.#queries.observe({ outcome }, seconds);
  }

  tookKmsCall(operation: string, outcome: string, seconds: number): void {
    this.#kmsCalls.observe({ operation, outcome }, seconds);
  }

  async text({ connections, unfinishedTenants, broker, uplinkRefused, logCopy }: CloudFigures): Promise<string> {
    this.#unfinished.set(unfinishedTenants);
    this.#uplinkRefusals.reset();
    for (const [reason, count] of Object.entries(uplinkRefused)) this.#uplinkRefusals.inc({ reason }, count);
    if (broker !== null) this.#setBroker(broker);
    if (logCopy !== null) this.#setLogCopy(logCopy);
    for (const [state, count] of Object.entries(connections ?? {})) this.#connections.set({ state }, count);
    return await this.#registry.metrics();
  }

  #setLogCopy({ lag, copiedAt, failures }: LogCopyFigures): void {
    this.#copyLag.set(lag);
    this.#copiedAt.set((copiedAt ?? 0) / 1000);
    this.#copyFailures.reset();
    for (const [code, count] of Object.entries(failures)) this.#copyFailures.inc({ code }, count);
  }

  /** The broker counts for itself. */
  #setBroker({ connections, received, lost, refused, denied }: BrokerFigures): void {
    this.#boxes.set(connections);
    this.#messages.reset();
    for (const [outcome, count] of Object.entries({ received, lost })) this.#messages.inc({ outcome }, count);
    this.#turnedAway.reset();
    for (const [what, counts] of Object.entries({ refused, denied })) {
      for (const [reason, count] of Object.entries(counts)) this.#turnedAway.inc({ what, reason }, count);
    }
  }
}
