import { readFileSync } from 'node:fs';
import { readConfig } from '../../shared/config/read-config.ts';
import { readSecretText } from '../../shared/config/read-secret-file.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Recovery } from '../../shared/lease/recovery.ts';
import { type TrustConfig, trustConfigSchema } from './config/schema.ts';
import { readDeviceKey } from './hsm/device-key.ts';
import { openOfficer } from './hsm/open-hsm.ts';
import type { SecurityOfficer } from './hsm/security-officer.ts';
import { TrustedFolder } from './hsm/software/trusted-folder.ts';

/** What the security officer does: one thing a run, in a process of its own that never has the user PIN. */
export type TrustOrder =
  | { do: 'add'; pemFile: string }
  | { do: 'remove'; fingerprint: string }
  | { do: 'list' }
  | { do: 'check-recovery'; recovery: Recovery }
  | { do: 'accept-records'; records: number; counted: number };

/**
 * Changes or lists the device keys to which the HSM may wrap tenant keys, has the KMS start with older records, or looks whether a recovery names
 * keys of this HSM.
 * @returns the fingerprints it added, removed or found
 * @throws {SecureGateError} `config_missing`, `config_invalid`, `file_unreadable`, `secret_file_unsafe`, `hsm_unavailable`, `device_untrusted`, `recovery_rejected`
 */
export async function runTrust(configFile: string, order: TrustOrder): Promise<string[]> {
  process.title = 'securegate-kms-trust';
  const config = readConfig(configFile, trustConfigSchema);
  return await withOfficer(config, async (officer) => {
    if (order.do === 'list') return await officer.list();
    if (order.do === 'check-recovery') {
      await officer.checkRecovery(order.recovery);
      return [];
    }
    if (order.do === 'accept-records') {
      await officer.acceptRecords(order.records, order.counted);
      return [];
    }
    if (order.do === 'remove') {
      await officer.remove(order.fingerprint);
      return [order.fingerprint];
    }
    const key = readDeviceKey(readPem(order.pemFile));
    await officer.add(key);
    return [key.fingerprint];
  });
}

async function withOfficer<T>(config: TrustConfig, work: (officer: SecurityOfficer) => Promise<T>): Promise<T> {
  if (config.driver === 'software') return await work(new TrustedFolder(config.trustedKeys));
  const officer = await openOfficer(config);
  officer.start();
  try {
    return await work(officer);
  } finally {
    await officer.stop();
  }
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SecureGateError('file_unreadable', `Cannot read ${file}`, { cause });
  }
}

/**
 * Makes a token whose PINs stand in two files. The one run that reads both: afterwards they are two people's business.
 * @throws {SecureGateError} `secret_file_unsafe`, `hsm_unavailable`, `hsm_refused`, `conflict`
 */
export async function initialiseToken(library: string, token: string, pinFile: string, soPinFile: string): Promise<void> {
  const { initToken } = await import('./hsm/pkcs11/init-token.ts');
  const pin = readSecretText({ file: pinFile });
  const soPin = readSecretText({ file: soPinFile });
  try {
    initToken({ library, token, pin, soPin });
  } finally {
    pin.fill(0);
    soPin.fill(0);
  }
}
