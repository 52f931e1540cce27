import { EXPORT_INFO, EXPORT_SUITE, type ExportContext, exportAad } from '../../../../shared/lease/export-seal.ts';
import type { LeaseAnswer } from '../../../../shared/lease/lease-answer.ts';
import type { DeviceKeys } from '../device/device-keys.ts';
import { leaseRejected } from './lease-rejected.ts';
import type { OneUseKey } from './one-use-key.ts';

const KEY_BYTES = 32;

/**
 * The tenant's key out of a KMS's answer: out of HPKE (RFC 9180) by the request's one-use key, then out of RSA-OAEP by the device's.
 * @returns 32 unpooled bytes that the caller owns and wipes
 * @throws {SecureGateError} `lease_rejected`, `device_keys_unusable`
 */
export async function openAnswer(answer: LeaseAnswer, request: ExportContext, oneUse: OneUseKey, device: DeviceKeys): Promise<Buffer> {
  const tek = await device.unwrap(await openSeal(answer, request, oneUse), answer.oaepHash);
  if (tek.length === KEY_BYTES) return tek;
  tek.fill(0);
  throw leaseRejected('seal');
}

async function openSeal({ encapsulated, sealed }: LeaseAnswer, request: ExportContext, oneUse: OneUseKey): Promise<Buffer> {
  try {
    return Buffer.from(await EXPORT_SUITE.Open(oneUse, encapsulated, sealed, { info: EXPORT_INFO, aad: exportAad(request) }));
  } catch (cause) {
    throw leaseRejected('seal', cause);
  }
}
