import type { Operation } from './protocol.ts';

/** What uses no customer's key and takes nothing away; the faces in it are overwritten as soon as it is answered. */
const WITHOUT_KEYS: ReadonlySet<Operation> = new Set<Operation>([
  'search',
  'verify',
  'count',
  'usage',
  'untoldSightings',
  'toldSightings',
  'untoldUsage',
  'toldUsage',
]);
/** What is asked again and again and takes nothing away that was in memory. */
const OFTEN: ReadonlySet<Operation> = new Set<Operation>([
  'recordSighting',
  'listSightings',
  'listCustomers',
  'customerNames',
  'getCustomer',
  'facePicture',
  'listRecords',
  'getRecord',
]);
/** As long as a face may stay that matched nobody. */
const USED_MS = 10_000;
const FORGOTTEN_MS = 1000;

/** How long dead copies of the keys that an operation used, or of what it took away, may stay in memory; undefined where there are none. */
export function lingerMs(operation: Operation): number | undefined {
  if (WITHOUT_KEYS.has(operation)) return undefined;
  return OFTEN.has(operation) ? USED_MS : FORGOTTEN_MS;
}
