import { join } from 'node:path';

/**
 * The file with the admin token, for the operator to read and remove. Not in the data folder: whoever gets a copy of that must
 * not get into the box with it.
 */
export function adminTokenFile(keyDir: string): string {
  return join(keyDir, 'admin.token');
}
