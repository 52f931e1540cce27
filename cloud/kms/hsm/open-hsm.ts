import { readSecretFile, readSecretText } from '../../../shared/config/read-secret-file.ts';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { KmsConfig, TrustConfig } from '../config/schema.ts';
import type { Hsm } from './hsm.ts';
import type { TokenOfficer } from './pkcs11/token-officer.ts';
import { SoftwareHsm } from './software/software-hsm.ts';

/**
 * The HSM of a configuration, not started.
 * @throws {SecureGateError} `hsm_unavailable` when the driver cannot be loaded
 */
export async function openHsm(config: KmsConfig['hsm']): Promise<Hsm> {
  if (config.driver === 'software') {
    const { keystore, trustedKeys, masterKey } = config;
    return new SoftwareHsm({ keystore, trustedKeys, masterKey: () => readSecretFile(masterKey) });
  }
  const { library, token, pin, sessions, destroyHorizonDays } = config;
  const { Pkcs11Hsm } = await load(() => import('./pkcs11/pkcs11-hsm.ts'));
  return new Pkcs11Hsm({ library, token, sessions, destroyHorizonDays, pin: () => readSecretText(pin) });
}

/**
 * The security officer of a token, not started.
 * @throws {SecureGateError} `hsm_unavailable` when the driver cannot be loaded
 */
export async function openOfficer({ library, token, soPin }: Extract<TrustConfig, { driver: 'pkcs11' }>): Promise<TokenOfficer> {
  const { TokenOfficer } = await load(() => import('./pkcs11/token-officer.ts'));
  return new TokenOfficer({ library, token, soPin: () => readSecretText(soPin) });
}

/** The driver has machine code, which is built where a C++ compiler is. */
async function load<Module>(importDriver: () => Promise<Module>): Promise<Module> {
  try {
    return await importDriver();
  } catch (cause) {
    throw new SecureGateError('hsm_unavailable', 'The PKCS#11 driver is not built: install a C++ compiler (g++) and start again', {
      cause,
    });
  }
}
