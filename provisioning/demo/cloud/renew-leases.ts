import { setTimeout as pause } from 'node:timers/promises';
import { type CloudClient, contentOf } from '../../../shared/cloud-client/create-cloud-client.ts';
import { TENANTS } from '../footage/script.ts';
import { ORG } from '../run-folder.ts';

const LOOK_EVERY_MS = 200;
/** While it waits for the box. */
const OPEN: ReadonlySet<string> = new Set(['QUEUED', 'SENT', 'IN_PROGRESS']);

/**
 * Has the control plane tell a box to renew the lease of each tenant, now.
 * @returns how many commands the box has done, by its own signed word
 */
export async function renewLeases(client: CloudClient, device: string, signal: AbortSignal): Promise<number> {
  const path = { org: ORG };
  const receipts = TENANTS.map(async (tenant) => {
    const body = { device, order: { kind: 'renew-lease', body: { tenant } } } as const;
    let command = await contentOf(client.POST('/v1/orgs/{org}/commands', { params: { path }, body }));
    const { id } = command;
    while (OPEN.has(command.state)) {
      await pause(LOOK_EVERY_MS, undefined, { signal });
      command = await contentOf(client.GET('/v1/orgs/{org}/commands/{id}', { params: { path: { ...path, id } } }));
    }
    const { items } = await contentOf(client.GET('/v1/orgs/{org}/receipts', { params: { path, query: { command: id } } }));
    return items.filter(({ state }) => state === 'SUCCEEDED').length;
  });
  return (await Promise.all(receipts)).reduce((sum, done) => sum + done, 0);
}
