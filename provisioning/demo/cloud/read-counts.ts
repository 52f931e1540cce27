import { type CloudClient, contentOf } from '../../../shared/cloud-client/create-cloud-client.ts';
import { TENANTS } from '../footage/script.ts';
import { ORG } from '../run-folder.ts';
import type { CameraCount } from '../score/compare-counts.ts';

const DAY_MS = 86_400_000;

/** What the cloud has counted of both tenants since yesterday: the day may have changed since the demo began. */
export async function readCounts(client: CloudClient, now: number): Promise<CameraCount[]> {
  const [from, to] = [now - DAY_MS, now].map((ms) => new Date(ms).toISOString().slice(0, 10)) as [string, string];
  const calls = TENANTS.map((tenant) => {
    const params = { path: { org: ORG, tenant }, query: { from, to } };
    return contentOf(client.GET('/v1/orgs/{org}/tenants/{tenant}/sighting-counts', { params }));
  });
  return (await Promise.all(calls)).flatMap(({ counts }) => counts);
}
