import { readFileSync } from 'node:fs';
import { CopyRecords } from '../../cloud/audit/copy/copy-records.ts';
import { LogCopy } from '../../cloud/audit/copy/log-copy.ts';
import { LogCopyJob } from '../../cloud/audit/copy/log-copy-job.ts';
import { JobLeases } from '../../cloud/store/job-leases.ts';
import type { BucketConfig } from '../../shared/s3/bucket-config.ts';
import type { LogPlace } from './log-place.ts';
import type { S3Fake } from './s3-fake/s3-fake.ts';
import { testLogger } from './secrecy/test-logger.ts';

const RUNBOOK = new URL('../../provisioning/runbooks/keep-the-log.md', import.meta.url);

/** What the runbook gives the control plane, and an auditor: its policies are what the tests work with. */
const policies = [...readFileSync(RUNBOOK, 'utf8').matchAll(/```json\n(.*?)```/gs)].map(([, text = '']) => JSON.parse(text) as Policy);
export const [WRITER_RIGHTS = [], READER_RIGHTS = []] = policies.map(({ Statement = [] }) => Statement.flatMap(({ Action }) => Action));

interface Policy {
  readonly Statement?: readonly { readonly Action: readonly string[] }[];
}

const NEVER = new AbortController().signal;

/** One process that copies the log of a place. */
export class CopyPlace {
  readonly place: LogPlace;
  readonly records: CopyRecords;
  readonly job: LogCopyJob;
  readonly #copy: LogCopy;

  constructor(place: LogPlace, bucket: BucketConfig, owner = 'one') {
    const { db } = place.store;
    const now = (): number => place.time;
    // The store has the clock of this machine.
    place.time = Math.max(place.time, Date.now());
    this.place = place;
    this.records = new CopyRecords(db, bucket);
    this.#copy = new LogCopy({
      db,
      tree: place.tree,
      heads: place.heads,
      records: this.records,
      config: { ...bucket, retentionDays: 3650 },
      now,
    });
    const leases = new JobLeases(db, { owner, now });
    const { records, audit } = { records: this.records, audit: place.audit };
    this.job = new LogCopyJob({ records, audit, leases, copy: this.#copy, now, random: () => 0, logger: testLogger('cloud') });
  }

  static async start(place: LogPlace, store: S3Fake): Promise<CopyPlace> {
    return new CopyPlace(place, await store.account(...WRITER_RIGHTS));
  }

  /** Makes a head over all that is in the log, and copies it. @throws {SecureGateError} */
  async copy(): Promise<{ readonly log: string; readonly size: number }> {
    const head = await this.place.head();
    await this.#copy.copy(NEVER);
    return head;
  }
}
