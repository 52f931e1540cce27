import { createHash, createPublicKey } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK, type JWTPayload, jwtVerify } from 'jose';
import { LONGEST_WAIT_MS, leafHash } from '../audit/leaf.ts';
import { LOG_HEAD_TYPE, type LogHead, logHeadSchema, verifyLogToken } from '../audit/log-tokens.ts';
import { settledEntry } from '../audit/settled-entry.ts';
import { verifyInclusion } from '../crypto/merkle/verify-inclusion.ts';
import { SecureGateError } from '../errors/securegate-error.ts';
import { ACK_TYPE, ackClaimsSchema } from '../fleet/ack.ts';
import { type PublicKey, publicKeySchema } from '../lease/public-key.ts';
import { type DeletionReceipt, type LoggedWord, RECEIPT_TYPE, type Statement, statementSchema } from './receipt.ts';
import { type KnownOfBox, stateOfBox } from './state-of-box.ts';
import { type KnownEpoch, stateOfErasure } from './state-of-erasure.ts';

type Box = Statement['boxes'][number];
type Epoch = Extract<Statement, { kind: 'erasure' }>['epochs'][number];

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
  for (const { device, word } of said.boxes) {
    if (word === null) continue;
    const logged = byDigest.get(word.digest);
    await verifyWord(device, word, logged?.token, boxKeys.get(device));
    requireLogged(said.org, device, word, logged, head);
  }
  requireDerived(said);
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
function requireDerived(said: Statement): void {
  const derived = derivedStates(said);
  for (const [index, box] of said.boxes.entries()) {
    if (isDeepStrictEqual({ ...box, ...derived[index] }, box)) continue;
    throw new SecureGateError('receipt_rejected', 'The state of a box does not follow from what is proved', {
      details: { device: box.device },
    });
  }
}

/** Of each box in turn. */
function derivedStates(said: Statement): object[] {
  const now = said.iat * 1000;
  const states =
    said.kind === 'shred'
      ? said.boxes.map((box) =>
          stateOfBox(knownOf(box), said.destroyedAt === null ? null : { unrecoverableFrom: timeOf(said.unrecoverableFrom) }, now),
        )
      : said.boxes.map((box) => stateOfErasure(knownOf(box), said.epochs.map(epochOf), now));
  return states.map(({ unrecoverableFrom: from, ...state }) => ({
    ...state,
    unrecoverableFrom: from === null ? null : new Date(from).toISOString(),
  }));
}

function knownOf({ enforcement, leaseEndsAt, word }: Box): KnownOfBox {
  return { enforcement, leaseEndsAt: Date.parse(leaseEndsAt), erasedAt: timeOf(word?.at ?? null) };
}

function epochOf({ leftFrom, destroyedAt, unrecoverableFrom }: Epoch): KnownEpoch {
  return { leftFrom: timeOf(leftFrom), destroyedAt: timeOf(destroyedAt), unrecoverableFrom: timeOf(unrecoverableFrom) };
}

function timeOf(time: string | null): number | null {
  return time === null ? null : Date.parse(time);
}
