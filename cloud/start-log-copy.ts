import type { Kysely } from 'kysely';
import type { Logger } from '../shared/log/create-logger.ts';
import type { RunningParts } from '../shared/runtime/running-parts.ts';
import type { AuditLog } from './audit/audit-log.ts';
import { CopyRecords } from './audit/copy/copy-records.ts';
import { LogCopy } from './audit/copy/log-copy.ts';
import { LogCopyJob } from './audit/copy/log-copy-job.ts';
import type { LogHeads } from './audit/log-heads.ts';
import type { LogTree } from './audit/log-tree.ts';
import type { CloudConfig } from './config/schema.ts';
import type { Database } from './store/database.ts';
import type { JobLeases } from './store/job-leases.ts';

export interface LogCopyParts {
  readonly config: CloudConfig;
  readonly db: Kysely<Database>;
  readonly tree: LogTree;
  readonly heads: LogHeads;
  readonly audit: AuditLog;
  readonly leases: JobLeases;
  readonly now: () => number;
  readonly logger: Logger;
}

/** Copies the log to a bucket, where the configuration names one. */
export async function startLogCopy(running: RunningParts, { config, ...parts }: LogCopyParts): Promise<LogCopyJob | undefined> {
  const bucket = config.audit.s3;
  if (bucket === undefined) return undefined;
  const records = new CopyRecords(parts.db, bucket);
  const copy = new LogCopy({ ...parts, records, config: bucket });
  const job = new LogCopyJob({ ...parts, records, copy, random: Math.random });
  await running.start(job);
  return job;
}
