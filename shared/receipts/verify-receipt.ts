import { createHash, createPublicKey } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK, type JWTPayload, jwtVerify } from 'jose';
import { LONGEST_WAIT_MS } from '../audit/leaf.ts';
import { LOG_HEAD_TYPE, type LogHead, logHeadSchema, verifyLogToken } from '../audit/log-tokens.ts';
import { receiptEntry } from '../audit/receipt-entry.ts';
import { settledEntry } from '../audit/settled-entry.ts';
import { SecureGateError } from '../errors/securegate-error.ts';
import { ACK_TYPE, ackClaimsSchema } from '../fleet/ack.ts';
import { type PublicKey, publicKeySchema } from '../lease/public-key.ts';
import { isInLog } from './is-in-log.ts';
import {
  type DeletionReceipt,
  type LoggedDestruction,
  type LoggedWord,
  type LogPlace,
  RECEIPT_TYPE,
  type Statement,
  statementSchema,
} from './receipt.ts';
import { type KnownOfBox, stateOfBox } from './state-of-box.ts';
import { type KnownEpoch, type KnownOfErasure, stateOfErasure } from './state-of-erasure.ts';
import { verifyDestructions } from './verify-destructions.ts';

type Box = Statement['boxes'][number];
type ErasureStatement = Extract<Statement, { kind: 'erasure' }>;
type Epoch = ErasureStatement['epochs'][number];

/** What the log says beside the words of the boxes. */
export interface ProvedByLog {
  /** Place of the statement. */
  readonly issued: number;
  /** That the keys are destroyed, for each that is. */
  readonly destructions: readonly LoggedDestruction[];
}

export interface VerifiedReceipt {
  readonly said: Statement;
  /** Of the log in which the words of the boxes are. */
  readonly head: LogHead;
  /** Null of a receipt of the first version, in which the control plane alone says that keys are destroyed. */
  readonly proved: ProvedByLog | null;
}

/**
 * Checks a receipt with nothing but the public keys of the control plane: its statement (JWT, RFC 7519, ES256), each box's word by the key
 * that the statement names, that this word is in the log as it came then (RFC 6962), that the KMS's word is in it for keys that are destroyed,
 * and the statement itself, and that every state follows from what is proved.
 * @param boxKeys for boxes whose certificate is at hand: SHA-256 of its key; then the control plane's word is not taken for it
 * @throws {SecureGateError} `receipt_rejected`
 */
export async function verifyReceipt(
  receipt: DeletionReceipt,
  keys: readonly PublicKey[],
  boxKeys: ReadonlyMap<string, string> = new Map(),
): Promise<VerifiedReceipt> {
  const { statement, words, head: signedHead } = receipt;
  const said = await verifyStatement(statement, keys);
  // Without this, a later receipt would pass as one of the first version when its proofs were taken out.
  if (receipt.version !== (said.version ?? 1)) throw rejected('The statement is of a receipt of another version');
  const head = await verifyHead(signedHead, keys);
  const byDigest = new Map(words.map((word) => [createHash('sha256').update(word.token).digest('base64url'), word]));
  for (const { device, word } of said.boxes) {
    if (word === null) continue;
    const logged = byDigest.get(word.digest);
    await verifyWord(device, word, logged?.token, boxKeys.get(device));
    if (receipt.version === 2) requireRemoved(device, word);
    requireLogged(said.org, device, word, logged, head);
  }
  requireDerived(said);
  if (receipt.version === 1) return { said, head, proved: null };
  requireIssued(said, statement, receipt.issued, head);
  return { said, head, proved: { issued: receipt.issued.leaf, destructions: verifyDestructions(said, receipt.destructions, head) } };
}

/** That it was made when it says: whoever dates one back has no log in which it is. */
function requireIssued({ iat, org, tenant, jti: id }: Statement, statement: string, place: LogPlace, head: LogHead): void {
  const at = iat * 1000;
  const entry = receiptEntry({ at, org, tenant, id, digest: createHash('sha256').update(statement).digest('base64url') });
  if (place.loggedAt - at <= LONGEST_WAIT_MS && isInLog(entry, place, head)) return;
  throw rejected('The statement is not in the log');
}

function rejected(message: string): SecureGateError {
  return new SecureGateError('receipt_rejected', message);
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

/** Only orders to remove something are answered by how much it was: the word that a lease was renewed is none of these. */
function requireRemoved(device: string, { removed }: NonNullable<Box['word']>): void {
  if (removed !== null) return;
  throw new SecureGateError('receipt_rejected', 'A box did something else than remove', { details: { device } });
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
  head: LogHead,
): void {
  const came = Date.parse(cameAt);
  if (word !== undefined && word.loggedAt - came <= LONGEST_WAIT_MS) {
    const entry = settledEntry({ at: came, receipt: word.receipt, org, device, command, outcome: 'done', digest });
    if (isInLog(entry, word, head)) return;
  }
  throw new SecureGateError('receipt_rejected', 'The word of a box is not in the log', { details: { device } });
}

/** Nobody's state is better than what is proved of it. */
function requireDerived(said: Statement): void {
  const derived = derivedStates(said);
  for (const [index, box] of said.boxes.entries()) {
    // Receipts of the first version say less.
    const told = Object.fromEntries(Object.entries(derived[index] ?? {}).filter(([name]) => name in box));
    if (isDeepStrictEqual({ ...box, ...told }, box)) continue;
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
      : said.boxes.map((box) => stateOfErasure(knownOfErasure(said, box), said.epochs.map(epochOf), now));
  return states.map(({ unrecoverableFrom: from, ...state }) => ({
    ...state,
    unrecoverableFrom: from === null ? null : new Date(from).toISOString(),
  }));
}

function knownOf({ enforcement, leaseEndsAt, word }: Box): KnownOfBox {
  return { enforcement, leaseEndsAt: Date.parse(leaseEndsAt), erasedAt: timeOf(word?.at ?? null) };
}

function knownOfErasure({ requestedAt }: ErasureStatement, box: ErasureStatement['boxes'][number]): KnownOfErasure {
  const lost = box.lost ? { epoch: box.lost.epoch, laterKeyAt: timeOf(box.lost.laterKeyAt) } : null;
  return { ...knownOf(box), requestedAt: Date.parse(requestedAt), lost };
}

function epochOf({ epoch, leftFrom, destroyedAt, unrecoverableFrom }: Epoch): KnownEpoch {
  return { epoch, leftFrom: timeOf(leftFrom), destroyedAt: timeOf(destroyedAt), unrecoverableFrom: timeOf(unrecoverableFrom) };
}

function timeOf(time: string | null): number | null {
  return time === null ? null : Date.parse(time);
}
