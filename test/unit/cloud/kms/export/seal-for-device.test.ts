import { randomBytes } from 'node:crypto';
import { AEAD_AES_128_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from 'hpke';
import { describe, expect, test } from 'vitest';
import { sealForDevice } from '../../../../../cloud/kms/export/seal-for-device.ts';
import { newId } from '../../../../../shared/ids/ids.ts';
import { EXPORT_INFO, EXPORT_SUITE, exportAad } from '../../../../../shared/lease/export-seal.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'hex');

describe('RFC 9180 (HPKE)', () => {
  test('appendix A.1.1: base mode, DHKEM(X25519), HKDF-SHA256, AES-128-GCM', async () => {
    // The RFC has no vector of X25519 with AES-256-GCM, which is what exports use: KEM and key schedule are the same.
    const suite = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_128_GCM);
    const key = await suite.DeserializePrivateKey(bytes('4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8'), true);
    const encapsulated = bytes('37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431');
    const ciphertext = bytes('f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a');
    const opened = await suite.Open(key, encapsulated, ciphertext, {
      info: bytes('4f6465206f6e2061204772656369616e2055726e'),
      aad: bytes('436f756e742d30'),
    });
    expect(Buffer.from(opened).toString('hex')).toBe('4265617574792069732074727574682c20747275746820626561757479');
  });
});

describe('an answer', () => {
  test('opens for the one-use key and the request that it answers, and for no other', async () => {
    const { publicKey, privateKey } = await EXPORT_SUITE.GenerateKeyPair();
    const oneUseKey = Buffer.from(await EXPORT_SUITE.SerializePublicKey(publicKey));
    const request = {
      org: 'acme',
      tenant: 'hall',
      device: newId('box'),
      epoch: 7,
      nonce: 'n'.repeat(43),
      oneUseKey,
      hash: 'x',
      signedBy: '',
    };
    const wrapped = randomBytes(256);
    const { encapsulated, sealed } = await sealForDevice(wrapped, request);
    const open = async (other: object = {}, key = privateKey): Promise<Buffer> =>
      Buffer.from(await EXPORT_SUITE.Open(key, encapsulated, sealed, { info: EXPORT_INFO, aad: exportAad({ ...request, ...other }) }));
    expect(await open()).toEqual(wrapped);
    for (const other of [
      { org: 'acmeh', tenant: 'all' },
      { tenant: 'club' },
      { device: newId('box') },
      { epoch: 8 },
      { nonce: 'm'.repeat(43) },
    ]) {
      await expect(open(other), JSON.stringify(other)).rejects.toThrow();
    }
    await expect(open({}, (await EXPORT_SUITE.GenerateKeyPair()).privateKey)).rejects.toThrow();
  });
});
