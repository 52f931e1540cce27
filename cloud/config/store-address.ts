import { join } from 'node:path';
import type { StoreAddress } from '../store/open-store.ts';

/** Where the control plane remembers: in the Postgres that DATABASE_URL names, or in a file of its own folder. */
export function storeAddress(dataDir: string, { DATABASE_URL }: NodeJS.ProcessEnv): StoreAddress {
  return DATABASE_URL === undefined || DATABASE_URL === '' ? { file: join(dataDir, 'cloud.db') } : { postgres: DATABASE_URL };
}
