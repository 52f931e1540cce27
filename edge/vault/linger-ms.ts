import type { Operation } from './protocol.ts';

/** What is asked again and again and takes nothing away that was in memory. */
const OFTEN: ReadonlySet<Operation> = new Set<Operation>([
  'search',
  'verify',
  'recordSighting',
  'listSightings',
  'listCustomers',
  'customerNames',
  'getCustomer',
  'facePicture',
  'listRecords',
  'getRecord',
  'count',
  'usage',
]);
/** As long as a face may stay that matched nobody. */
const USED_MS = 10_000;
const FORGOTTEN_MS = 1000;

/** How long dead copies of the keys that an operation used, or of what it took away, may stay in memory. */
export function lingerMs(operation: Operation): number {
  return OFTEN.has(operation) ? USED_MS : FORGOTTEN_MS;
}
