import { randomBytes } from 'node:crypto';
import { AuditLog } from '../../cloud/audit/audit-log.ts';
import { Ledger, type LedgerOptions } from '../../cloud/fleet/ledger/ledger.ts';
import { Reception } from '../../cloud/fleet/reception.ts';

/** How long it keeps what boxes have signed. */
export const COMMAND_DAYS = 400;

/** A ledger that hears what boxes say, until it is stopped. */
export interface RunningLedger {
  readonly ledger: Ledger;
  stop(): Promise<void>;
}

/** Starts a ledger with the reception of its control plane. */
export function startLedger(options: Omit<LedgerOptions, 'audit' | 'commandDays'>): RunningLedger {
  const { db, courier, boxes, now, logger } = options;
  const ledger = new Ledger({ ...options, commandDays: COMMAND_DAYS, audit: new AuditLog({ db, now, random: randomBytes }) });
  const reception = courier && new Reception({ courier, boxes, takers: [ledger.takers], logger });
  ledger.start();
  reception?.start();
  return {
    ledger,
    async stop() {
      await reception?.stop();
      await ledger.stop();
    },
  };
}
