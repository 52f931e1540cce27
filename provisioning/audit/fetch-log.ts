import { readHead } from '../../shared/audit/log-tokens.ts';
import { type CloudClient, contentOf } from '../../shared/cloud-client/create-cloud-client.ts';
import { TILE_WIDTH } from '../../shared/crypto/merkle/tiles.ts';
import { type ExportedEntry, type LogExport, logExportSchema } from './log-export.ts';

const MOST_ENTRIES = 200;
/** Tiles that are asked for at a time. */
const MOST_TILES = 4;

/** Fetches what a control plane tells of its log to an org. Nothing of it is checked yet. */
export async function fetchLog(cloud: CloudClient, org: string): Promise<LogExport> {
  const entries = await fetchEntries(cloud, org);
  const { head, key, keyChanges } = await contentOf(cloud.GET('/v1/audit/heads/latest'));
  const { forks } = await contentOf(cloud.GET('/v1/audit/forks'));
  const { size } = readHead(head);
  const leaves = await fetchLeaves(cloud, size);
  const { items } = await contentOf(cloud.GET('/v1/orgs/{org}/audit/witnesses', { params: { path: { org } } }));
  const path = { org };
  const { items: recoveries } = await contentOf(cloud.GET('/v1/orgs/{org}/recoveries', { params: { path } }));
  const orgKeys = recoveries.length === 0 ? null : await contentOf(cloud.GET('/v1/orgs/{org}/admin-keys', { params: { path } }));
  const cosignatures = items.map(({ token }) => token);
  // What came in while the head was made is under the next one.
  const under = entries.filter(({ leaf }) => leaf < size).reverse();
  return logExportSchema.parse({
    version: 1,
    org,
    key,
    keyChanges,
    recoveries,
    orgKeys,
    head,
    forks,
    leaves,
    entries: under,
    cosignatures,
  });
}

async function fetchEntries(cloud: CloudClient, org: string): Promise<ExportedEntry[]> {
  const entries: ExportedEntry[] = [];
  for (let before: number | undefined; ; ) {
    const query = { limit: MOST_ENTRIES, ...(before === undefined ? {} : { before }) };
    const { items } = await contentOf(cloud.GET('/v1/orgs/{org}/audit', { params: { path: { org }, query } }));
    entries.push(...items);
    before = items.at(-1)?.position;
    if (before === undefined || items.length < MOST_ENTRIES) return entries;
  }
}

async function fetchLeaves(cloud: CloudClient, size: number): Promise<string[]> {
  const numbers = Array.from({ length: Math.ceil(size / TILE_WIDTH) }, (_, number) => number);
  const leaves: string[] = [];
  while (numbers.length > 0) {
    const together = numbers.splice(0, MOST_TILES).map(async (number) => {
      const path = { level: 0, number };
      return (await contentOf(cloud.GET('/v1/audit/tiles/{level}/{number}', { params: { path } }))).hashes;
    });
    leaves.push(...(await Promise.all(together)).flat());
  }
  return leaves.slice(0, size);
}
