import { join } from 'node:path';
import type { CloudProcess } from './cloud-process.ts';
import { securegate } from './securegate.ts';

export interface Founding {
  readonly org: string;
  readonly tenants: readonly string[];
  /** Where the admin keeps the org's keys. */
  readonly folder: string;
}

/** An org's admin, who has keys of his own. */
export interface OrgAdmin {
  readonly org: string;
  readonly account: string;
  /** What makes a command of `securegate cloud` or `org-keys` his. */
  readonly options: readonly string[];
  /** File of the private key by which he signs. */
  readonly key: string;
}

/** Adds an org by the commands of the runbook: the operator of the platform names its first admin, who pins keys and adds tenants. */
export async function foundOrg({ config }: CloudProcess, { org, tenants, folder }: Founding): Promise<OrgAdmin> {
  const platform = ['--config', config];
  const [key, safe] = ['admin.pem', 'safe.pem'].map((name) => join(folder, name)) as [string, string];
  await Promise.all([key, safe].map((file) => securegate(['org-keys', 'new', file])));
  await securegate(['cloud', 'orgs', 'create', org, '--name', org, '--jurisdiction', 'CH', ...platform]);
  const account = await securegate([
    ...['cloud', 'orgs', 'first-admin', org],
    ...['--name', 'Ada', '--email', `ada@${org}.example`, ...platform],
  ]);
  const options = [...platform, '--account', account];
  await securegate(['org-keys', 'pin', org, '--admin', key, '--recovery', safe, ...options]);
  for (const tenant of tenants) await securegate(['cloud', 'tenants', 'create', org, tenant, '--name', tenant, ...options]);
  return { org, account, options, key };
}
