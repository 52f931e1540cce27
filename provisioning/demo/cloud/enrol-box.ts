import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contentOf } from '../../../shared/cloud-client/create-cloud-client.ts';
import type { CloudProcess } from '../../cloud/cloud-process.ts';
import type { OrgAdmin } from '../../cloud/found-org.ts';
import { openCloud } from '../../cloud/open-cloud.ts';
import { securegate } from '../../cloud/securegate.ts';

export interface EnrolledBox {
  readonly device: string;
  /** Of its keys, as the box itself shows it. */
  readonly fingerprint: string;
}

/** Enrols a box by a token that counts once, and has the HSM's security officer trust its key. @param folder for what travels between them */
export async function enrolBox(cloud: CloudProcess, admin: OrgAdmin, boxConfig: string, folder: string): Promise<EnrolledBox> {
  const { org, account } = admin;
  const input = await securegate(['cloud', 'enrolment-tokens', 'create', org, '--name', 'Rack 1', ...admin.options]);
  const enrol = ['enrol', '--cloud', cloud.fleetUrl, '--token', '-', '--config', boxConfig, '--json'];
  const { device, fingerprint } = JSON.parse(await securegate(enrol, { input })) as EnrolledBox;
  const client = await openCloud({ config: cloud.config, account });
  const { wrapKey } = await contentOf(client.GET('/v1/orgs/{org}/devices/{id}', { params: { path: { org, id: device } } }));
  const pem = join(folder, 'box.pem');
  await writeFile(pem, wrapKey);
  await securegate(['kms-trust', 'add', pem, '--config', cloud.trustConfig], { env: cloud.env });
  return { device, fingerprint };
}

/** The admin signs that the box may have the key of a tenant. */
export async function assignBox({ org, key, options }: OrgAdmin, { device, fingerprint }: EnrolledBox, tenant: string): Promise<void> {
  await securegate(['org-keys', 'assign', org, tenant, '--key', key, '--device', device, '--fingerprint', fingerprint, ...options]);
}
