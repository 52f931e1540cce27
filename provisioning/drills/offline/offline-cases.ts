import { clockAhead } from './cases/clock-ahead.ts';
import { clockDead } from './cases/clock-dead.ts';
import { cloudGone } from './cases/cloud-gone.ts';
import { copiedDisk } from './cases/copied-disk.ts';
import { oldDisk } from './cases/old-disk.ts';
import { rebooted } from './cases/rebooted.ts';
import { tpmRolledBack } from './cases/tpm-rolled-back.ts';
import type { OfflineCase } from './offline-case.ts';

/** All cases: time, the clock, disk and TPM. */
export const OFFLINE_CASES: readonly OfflineCase[] = [cloudGone, rebooted, clockDead, clockAhead, oldDisk, tpmRolledBack, copiedDisk];
