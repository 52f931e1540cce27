import { createHash, createPublicKey } from 'node:crypto';
import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK, type JWTPayload, jwtVerify } from 'jose';
import { SecureGateError } from '../errors/securegate-error.ts';
import { ACK_TYPE, ackClaimsSchema } from '../fleet/ack.ts';
import { type PublicKey, publicKeySchema } from '../lease/public-key.ts';
import { type DeletionReceipt, RECEIPT_TYPE, type Statement, statementSchema } from './receipt.ts';
import { stateOfBox } from './state-of-box.ts';

type Box = Statement['boxes'][number];

/**
 * Checks a receipt with nothing but the public keys of the control plane: its statement (JWT, RFC 7519, ES256), each box's word by the key
 * that the statement names, and that every state follows from what is proved. Where the transparency log proves that the statement is in it,
 * that proof is checked here as well.
 * @param boxKeys for boxes whose certificate is at hand: SHA-256 of its key; then the control plane's word is not taken for it
 * @throws {SecureGateError} `receipt_rejected`
 */
export async function verifyReceipt(
  { statement, words }: DeletionReceipt,
  keys: readonly PublicKey[],
  boxKeys: ReadonlyMap<string, string> = new Map(),
): Promise<Statement> {
  const said = await verifyStatement(statement, keys);
  const byDigest = new Map(words.map((word) => [createHash('sha256').update(word).digest('base64url'), word]));
  for (const box of said.boxes) {
    if (box.word) await verifyWord(box.device, box.word, byDigest.get(box.word.digest), boxKeys.get(box.device));
    requireDerived(said, box);
  }
  return said;
}

async function verifyStatement(token: string, keys: readonly PublicKey[]): Promise<Statement> {
  try {
    const { kid } = decodeProtectedHeader(token);
    const thumbprints = await Promise.all(keys.map((key) => calculateJwkThumbprint(key)));
    const key = keys[thumbprints.indexOf(kid ?? '')];
    if (key === undefined) throw new Error('no key of this name was given');
    const { payload, protectedHeader } = await compactVerify(token, await importJWK(key, 'ES256'), { algorithms: ['ES256'] });
    if (protectedHeader.typ !== RECEIPT_TYPE) throw new Error('it is no statement');
    return statementSchema.parse(JSON.parse(Buffer.from(payload).toString('utf8')));
  } catch (cause) {
    throw new SecureGateError('receipt_rejected', 'The control plane of these keys did not say this', { cause });
  }
}

async function verifyWord(
  device: string,
  word: NonNullable<Box['word']>,
  token: string | undefined,
  pinned: string | undefined,
): Promise<void> {
  try {
    if (token === undefined) throw new Error('its word is not in the receipt');
    const key = createPublicKey({ key: publicKeySchema.parse(decodeProtectedHeader(token).jwk), format: 'jwk' });
    const hash = createHash('sha256')
      .update(key.export({ type: 'spki', format: 'der' }))
      .digest('base64url');
    if (hash !== word.key || (pinned !== undefined && hash !== pinned)) throw new Error('it is signed by another key');
    const options = { algorithms: ['ES256'], typ: ACK_TYPE, audience: 'securegate-cloud', subject: device };
    const { payload }: { payload: JWTPayload } = await jwtVerify(token, key, options);
    const { state, command, removed = null } = ackClaimsSchema.parse(payload);
    if (state !== 'SUCCEEDED' || command !== word.command) throw new Error('it says something else');
    if (JSON.stringify(removed) !== JSON.stringify(word.removed)) throw new Error('it has removed something else');
  } catch (cause) {
    throw new SecureGateError('receipt_rejected', 'A box did not say this', { cause, details: { device } });
  }
}

/** Nobody's state is better than what is proved of it. */
function requireDerived(said: Statement, box: Box): void {
  if (isDerived(said, box)) return;
  throw new SecureGateError('receipt_rejected', 'The state of a box does not follow from what is proved', {
    details: { device: box.device },
  });
}

function isDerived(said: Statement, box: Box): boolean {
  if (said.kind === 'erasure' || !('enforcement' in box)) return box.state === (box.word ? 'erased' : 'pending');
  const hsm = said.destroyedAt === null ? null : { unrecoverableFrom: timeOf(said.unrecoverableFrom) };
  const { enforcement, leaseEndsAt, word } = box;
  const known = { enforcement, leaseEndsAt: Date.parse(leaseEndsAt), erasedAt: timeOf(word?.at ?? null) };
  const { state, because, unrecoverableFrom } = stateOfBox(known, hsm, said.iat * 1000);
  return box.state === state && box.because === because && timeOf(box.unrecoverableFrom) === unrecoverableFrom;
}

function timeOf(time: string | null): number | null {
  return time === null ? null : Date.parse(time);
}
