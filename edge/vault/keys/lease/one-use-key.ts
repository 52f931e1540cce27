import { EXPORT_SUITE } from '../../../../shared/lease/export-seal.ts';

/** X25519 key pair to which one answer is sealed. */
export type OneUseKey = Awaited<ReturnType<typeof EXPORT_SUITE.GenerateKeyPair>>;

/** @returns the public half as requests carry it */
export async function publicHalf({ publicKey }: OneUseKey): Promise<string> {
  return Buffer.from(await EXPORT_SUITE.SerializePublicKey(publicKey)).toString('base64url');
}
