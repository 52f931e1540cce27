import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../shared/config/read-config.ts';
import { SecureGateError } from '../shared/errors/securegate-error.ts';
import { AuditLog } from './audit/audit-log.ts';
import { cloudConfigSchema } from './config/schema.ts';
import { storeAddress } from './config/store-address.ts';
import { GRACE_MS } from './fleet/enrolment/enrolments.ts';
import { Authorities } from './fleet/pki/authorities.ts';
import { Issuer } from './fleet/pki/issuer.ts';
import { firstRights } from './fleet/rights/first-rights.ts';
import { LOCAL_OPERATOR } from './iam/local-operator.ts';
import { KmsClient } from './kms/client.ts';
import { openStore } from './store/open-store.ts';

const DAY_MS = 86_400_000;

export interface BrokerFiles {
  /** Its certificate, and what makes it believed by who knows the earlier authority alone. */
  readonly certificate: string;
  /** Mode 0600. It is made once; a certificate is renewed for it. */
  readonly key: string;
  /** Of the certificates of boxes and of control planes. */
  readonly authorities: string;
  /** See first-rights.ts. It is made once: the broker changes it. */
  readonly rights: string;
  readonly notAfter: number;
}

export interface CertifyBrokerOptions {
  /** Host names and addresses by which boxes reach the broker. */
  readonly names: readonly string[];
  readonly folder: string;
  /** Names of the processes of the control plane. */
  readonly controlPlanes: readonly string[];
}

/**
 * Makes, or renews, what a broker that stands apart needs in order to be believed by boxes, and to believe them. The audit log tells it.
 * @throws {SecureGateError} `config_missing`, `config_invalid`, `storage_failed`, `store_newer`, `kms_unavailable`
 */
export async function certifyBroker(configFile: string, { names, folder, controlPlanes }: CertifyBrokerOptions): Promise<BrokerFiles> {
  const { dataDir, certificateDays, kms: at } = readConfig(configFile, cloudConfigSchema);
  const store = await openStore(storeAddress(dataDir, process.env));
  const kms = new KmsClient(at.socket);
  try {
    const lifeMs = certificateDays * DAY_MS;
    const common = { kms, now: Date.now, random: randomBytes };
    const authorities = new Authorities({ db: store.db, longestAbsenceMs: lifeMs + GRACE_MS, ...common });
    const issuer = new Issuer({ authorities, lifeMs, ...common });
    const fileOf = (name: string): string => join(folder, name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const key = fileOf('broker.key');
    if (!existsSync(key)) write(key, newKey());
    const publicKey = createPublicKey(createPrivateKey(readFileSync(key))).export({ type: 'spki', format: 'der' });
    const issued = await issuer.issueToServer(names, publicKey);
    const about = {
      operation: 'broker.certify',
      org: '',
      tenant: '',
      target: names.join(' ').slice(0, 200),
      outcome: 'done',
      evidence: '',
    };
    const audit = new AuditLog({ db: store.db, now: Date.now, random: randomBytes });
    await audit.record({ at: Date.now(), request: randomUUID(), actor: LOCAL_OPERATOR, ...about });
    const rights = fileOf('dynamic-security.json');
    if (!existsSync(rights)) write(rights, JSON.stringify(firstRights(controlPlanes)));
    const trusted = await authorities.trusted();
    return {
      certificate: write(fileOf('broker.pem'), `${issued.certificate}${issued.authority.crossed}`),
      key,
      authorities: write(fileOf('authorities.pem'), trusted.map(({ certificate }) => certificate).join('')),
      rights,
      notAfter: issued.notAfter,
    };
  } catch (error) {
    throw SecureGateError.from(error);
  } finally {
    kms.close();
    await store.close();
  }
}

function newKey(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** A broker that reads it meanwhile sees the old file or the new one. @returns the file */
function write(file: string, content: string): string {
  const draft = `${file}.new`;
  writeFileSync(draft, content, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, file);
  return file;
}
