import { createHash, createPublicKey } from 'node:crypto';
import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK, type JWTPayload, jwtVerify } from 'jose';
import { LONGEST_WAIT_MS, leafHash } from '../audit/leaf.ts';
import { LOG_HEAD_TYPE, type LogHead, logHeadSchema, verifyLogToken } from '../audit/log-tokens.ts';
import { settledEntry } from '../audit/settled-entry.ts';
import { verifyInclusion } from '../crypto/merkle/verify-inclusion.ts';
import { SecureGateError } from '../errors/securegate-error.ts';
import { ACK_TYPE, ackClaimsSchema } from '../fleet/ack.ts';
import { type PublicKey, publicKeySchema } from '../lease/public-key.ts';
import { type DeletionReceipt, type LoggedWord, RECEIPT_TYPE, type Statement, statementSchema } from './receipt.ts';
import { stateOfBox } from './state-of-box.ts';

type Box = Statement['boxes'][number];

export interface VerifiedReceipt {
  readonly said: Statement;
  /** Of the log in which the words of the boxes are. */
  readonly head: LogHead;
}

/**
 * Checks a receipt with nothing but the public keys of the control plane: its statement (JWT, RFC 7519, ES256), each box's word by the key
 * that the statement names, that this word is in the log as it came then (RFC 6962), and that every state follows from what is proved.
 * @param boxKeys for boxes whose certificate is at hand: SHA-256 of its key; then the control plane's word is not taken for it
 * @throws {SecureGateError} `receipt_rejected`
 */
export async function verifyReceipt(
  { statement, words, head: signedHead }: DeletionReceipt,
  keys: readonly PublicKey[],
  boxKeys: ReadonlyMap<string, string> = new Map(),
): Promise<VerifiedReceipt> {
  const said = await verifyStatement(statement, keys);
  const head = await verifyHead(signedHead, keys);
  const byDigest = new Map(words.map((word) => [createHash('sha256').update(word.token).digest('base64url'), word]));
  for (const box of said.boxes) {
    if (box.word) {
      const logged = byDigest.get(box.word.digest);
      await verifyWord(box.device, box.word, logged?.token, boxKeys.get(box.device));
      requireLogged(said.org, box.device, box.word, logged, head);
    }
    requireDerived(said, box);
  }
  return { said, head };
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

async function verifyHead(token: string, keys: readonly PublicKey[]): Promise<LogHead> {
  try {
    return await verifyLogToken(token, LOG_HEAD_TYPE, logHeadSchema, keys);
  } catch (cause) {
    throw new SecureGateError('receipt_rejected', 'The control plane of these keys did not sign this head of its log', { cause });
  }
}

/** The word itself says nothing of when it came: the log does. */
function requireLogged(
  org: string,
  device: string,
  { at: cameAt, command, digest }: NonNullable<Box['word']>,
  word: LoggedWord | undefined,
  { size, root, at }: LogHead,
): void {
  const came = Date.parse(cameAt);
  if (word !== undefined && word.loggedAt <= at && word.loggedAt - came <= LONGEST_WAIT_MS) {
    const { receipt, salt, loggedAt, leaf: index, proof } = word;
    const entry = settledEntry({ at: came, receipt, org, device, command, outcome: 'done', digest });
    const leaf = leafHash({ entry, salt: Buffer.from(salt, 'base64url'), loggedAt });
    const hashes = proof.map((hash) => Buffer.from(hash, 'base64url'));
    if (verifyInclusion({ index, size, leaf, root: Buffer.from(root, 'base64url'), proof: hashes })) return;
  }
  throw new SecureGateError('receipt_rejected', 'The word of a box is not in the log', { details: { device } });
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
