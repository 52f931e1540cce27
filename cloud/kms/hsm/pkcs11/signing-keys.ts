import { createHash } from 'node:crypto';
import type { JWK } from 'jose';
import pkcs11 from 'pkcs11js';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import type { SigningUse } from '../hsm.ts';
import { newSigningPair, SIGNING_ID, signingPrivateKey, signingPublicKey, signingPublicKeys } from './attributes.ts';
import type { Session } from './session.ts';

const COORDINATE_BYTES = 32;
/** Tag and length of the OCTET STRING in which tokens give a point (PKCS#11 v2.40, 2.3.3), and the byte of an uncompressed one (SEC 1). */
const POINT_PREFIX = Buffer.from([0x04, 0x41, 0x04]);

/** Public key of a use; the pair is made unless it is there. */
export async function signingKeyOf(session: Session, use: SigningUse): Promise<JWK> {
  if (session.find(signingPrivateKey(use)).length === 0) {
    const { publicKey, privateKey } = newSigningPair(use);
    await session.module.C_GenerateKeyPairAsync(session.handle, { mechanism: pkcs11.CKM_EC_KEY_PAIR_GEN }, publicKey, privateKey);
  }
  return publicKeyOf(session, onlyOne(session.find(signingPublicKey(use)), use));
}

/** Public keys by their use, the newest of each (`ca-2` comes after `ca`). */
export function newestSigningKeys(session: Session): ReadonlyMap<string, JWK> {
  const found = session.find(signingPublicKeys).flatMap((object) => {
    const [id = Buffer.alloc(0)] = session.read(object, 'CKA_ID');
    const [, use, generation = '1'] = SIGNING_ID.exec(id.toString()) ?? [];
    return use === undefined ? [] : [{ use, generation: Number(generation), object }];
  });
  const inOrder = found.toSorted((one, other) => one.generation - other.generation);
  return new Map(inOrder.map(({ use, object }) => [use, publicKeyOf(session, object)]));
}

function publicKeyOf(session: Session, object: pkcs11.Handle): JWK {
  const [point = Buffer.alloc(0)] = session.read(object, 'CKA_EC_POINT');
  if (!point.subarray(0, POINT_PREFIX.length).equals(POINT_PREFIX) || point.length !== POINT_PREFIX.length + 2 * COORDINATE_BYTES) {
    throw new SecureGateError('hsm_refused', 'The HSM gives a public key in a form that is not known here');
  }
  const x = point.subarray(POINT_PREFIX.length, POINT_PREFIX.length + COORDINATE_BYTES);
  const y = point.subarray(POINT_PREFIX.length + COORDINATE_BYTES);
  return { kty: 'EC', crv: 'P-256', x: x.toString('base64url'), y: y.toString('base64url') };
}

/** ECDSA over a digest that is made here: SoftHSM does not hash. */
export async function signMessages(session: Session, use: SigningUse, messages: readonly Buffer[]): Promise<Buffer[]> {
  const key = onlyOne(session.find(signingPrivateKey(use)), use);
  const signatures: Buffer[] = [];
  for (const message of messages) {
    const digest = createHash('sha256').update(message).digest();
    session.module.C_SignInit(session.handle, { mechanism: pkcs11.CKM_ECDSA }, key);
    signatures.push(await session.module.C_SignAsync(session.handle, digest, Buffer.alloc(2 * COORDINATE_BYTES)));
  }
  return signatures;
}

function onlyOne(found: pkcs11.Handle[], use: SigningUse): pkcs11.Handle {
  const [key] = found;
  if (key === undefined || found.length > 1) {
    throw new SecureGateError('hsm_refused', 'The HSM has not exactly one signing key for this use', {
      details: { use, found: found.length },
    });
  }
  return key;
}
