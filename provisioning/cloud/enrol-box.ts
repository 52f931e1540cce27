import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contentOf } from '../../shared/cloud-client/create-cloud-client.ts';
import type { Enforcement } from '../../shared/lease/lease-token.ts';
import type { CloudProcess } from './cloud-process.ts';
import type { OrgAdmin } from './found-org.ts';
import { openCloud } from './open-cloud.ts';
import { securegate } from './securegate.ts';

export interface EnrolledBox {
  readonly device: string;
  /** Of its keys, as the box itself shows it. */
  readonly fingerprint: string;
  /** How long it took from the token to the certificate, milliseconds. */
  readonly ms: number;
}

export interface BoxToEnrol {
  readonly config: string;
  /** Where its daemon is served, where one runs. */
  readonly api?: string;
  /** For what travels from the box to the security officer. */
  readonly folder: string;
}

/** Enrols a box by a token that counts once, and has the HSM's security officer trust its key. */
export async function enrolBox(cloud: CloudProcess, admin: OrgAdmin, { config, api, folder }: BoxToEnrol): Promise<EnrolledBox> {
  const { org, account } = admin;
  const input = await securegate(['cloud', 'enrolment-tokens', 'create', org, '--name', 'Rack 1', ...admin.options]);
  const running = api === undefined ? [] : ['--api', api];
  const enrol = ['enrol', '--cloud', cloud.fleetUrl, '--token', '-', '--config', config, ...running, '--json'];
  const began = performance.now();
  const { device, fingerprint } = JSON.parse(await securegate(enrol, { input })) as Omit<EnrolledBox, 'ms'>;
  const ms = performance.now() - began;
  const client = await openCloud({ config: cloud.config, account });
  const { wrapKey } = await contentOf(client.GET('/v1/orgs/{org}/devices/{id}', { params: { path: { org, id: device } } }));
  const pem = join(folder, 'box.pem');
  await writeFile(pem, wrapKey);
  await securegate(['kms-trust', 'add', pem, '--config', cloud.trustConfig], { env: cloud.env });
  return { device, fingerprint, ms };
}

/** How a box keeps the key of a tenant; without it as `org-keys assign` has it. */
export interface LeaseTerms {
  readonly hours: number;
  readonly enforcement: Enforcement;
}

/** The admin signs that the box may have the key of a tenant. */
export async function assignBox(admin: OrgAdmin, box: EnrolledBox, tenant: string, terms?: LeaseTerms): Promise<void> {
  const { org, key, options } = admin;
  const lease = terms === undefined ? [] : ['--lease-hours', String(terms.hours), '--enforcement', terms.enforcement];
  const whom = ['--device', box.device, '--fingerprint', box.fingerprint];
  await securegate(['org-keys', 'assign', org, tenant, '--key', key, ...whom, ...lease, ...options]);
}
