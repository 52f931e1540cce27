import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { onTestFinished } from 'vitest';
import { readDeviceKey } from '../../cloud/kms/hsm/device-key.ts';
import { openAppliance } from '../../edge/appliance/open-appliance.ts';
import type { ConfigInput } from '../../edge/config/schema.ts';
import { VaultClient } from '../../edge/vault/client.ts';
import { FileDeviceKeys } from '../../edge/vault/keys/device/file-device-keys.ts';
import { type AssignmentClaims, signAssignment, TestDevice } from './kms.ts';
import type { TestOrg } from './kms-org.ts';
import { testLogger } from './secrecy/test-logger.ts';
import { tempFolder } from './temp-folder.ts';

/** The folders of a box that an org's admin can assign: its id and its keys are made as the box itself makes them. */
export class LeasedBox {
  readonly id: string;
  readonly dataDir: string;
  readonly keyDir: string;
  readonly kmsKeys: string;
  readonly device: FileDeviceKeys;
  readonly #org: TestOrg;

  constructor(folder: string, org: TestOrg) {
    this.#org = org;
    this.dataDir = join(folder, 'data');
    this.keyDir = join(folder, 'keys');
    this.kmsKeys = join(folder, 'kms-keys.json');
    mkdirSync(this.keyDir, { mode: 0o700 });
    const appliance = openAppliance(this.dataDir);
    this.id = appliance.box;
    appliance.close();
    this.device = FileDeviceKeys.open({ id: this.id, folder: join(this.keyDir, 'device'), dataDir: this.dataDir });
  }

  /** What the box is told of its KMS, and what the HSM is told of the box. */
  async start(): Promise<void> {
    const { kms } = this.#org;
    await writeFile(this.kmsKeys, JSON.stringify({ keys: [await kms.client.call('signingKey', { use: 'leases' })] }));
    const pemFile = join(this.keyDir, 'wrap.pem');
    await writeFile(pemFile, this.device.wrapKey);
    await kms.officer({ do: 'add', pemFile });
  }

  /** @param seconds for which the assignment holds: no lease outlives it */
  async assign(seconds = 3600, change: AssignmentClaims = {}): Promise<void> {
    const { org, tenant, admin, kms } = this.#org;
    const claims = {
      ...(await new TestDevice().claims(org, tenant)),
      exp: Math.floor(Date.now() / 1000) + seconds,
      sub: this.id,
      wrap: readDeviceKey(this.device.wrapKey).fingerprint,
      cnf: { jkt: await calculateJwkThumbprint(this.device.signingKey as JWK) },
      ...change,
    };
    await kms.client.call('assign', { assignment: await signAssignment(admin, claims) });
  }

  /** Its configuration: the org's tenant under a lease, and `north`, whose key is a file. */
  config(more: Partial<ConfigInput> = {}): ConfigInput {
    const { org, tenant, kms } = this.#org;
    return {
      dataDir: this.dataDir,
      keyDir: this.keyDir,
      api: { port: 0 },
      lease: { kmsKeys: this.kmsKeys, kmsSocket: kms.socket },
      tenants: [
        { id: tenant, org, keys: 'lease' },
        { id: 'north', org },
      ],
      ...more,
    };
  }

  /** The vault of the tenant in a process of its own, not started; stopped when the test has ended. @param tcti of the box's TPM */
  vault(tcti?: string): VaultClient {
    const { org, tenant } = this.#org;
    const { dataDir, keyDir, kmsKeys } = this;
    const logger = testLogger();
    const vault = new VaultClient({
      org,
      tenant,
      box: this.id,
      dataDir,
      keyDir,
      lease: { kmsKeys: { keySet: kmsKeys }, tpm: tcti === undefined ? undefined : { tcti, deviceKeys: 'file' } },
      logger,
    });
    onTestFinished(() => vault.stop());
    return vault;
  }
}

export async function leasedBox(org: TestOrg): Promise<LeasedBox> {
  const box = new LeasedBox(await tempFolder(), org);
  await box.start();
  return box;
}
