import type { CloudClient } from '../../../shared/cloud-client/create-cloud-client.ts';
import { CAMERAS } from '../footage/script.ts';
import { ORG } from '../run-folder.ts';

/** Has the control plane tell a box of the demo's cameras. @param urls address of the stream by the camera's id */
export async function giveCameras(client: CloudClient, device: string, urls: Readonly<Record<string, string>>): Promise<void> {
  for (const { id: slug, tenant } of CAMERAS) {
    const url = urls[slug];
    if (url === undefined) throw new RangeError(`No stream of ${slug}`);
    const params = { path: { org: ORG, tenant } };
    await client.POST('/v1/orgs/{org}/tenants/{tenant}/cameras', { params, body: { device, slug, url } });
  }
}
