import { COMMITMENT_BYTES, deriveKeys, type EnvelopeContext, type EnvelopeKey, SALT_BYTES } from '../../../../shared/crypto/envelope.ts';
import { openEnvelope } from '../../../../shared/crypto/open-envelope.ts';
import { PURPOSES, type Purpose } from '../../../../shared/crypto/purposes.ts';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';

const MAGIC = Buffer.from('SGEV');
const KIND = 6;
const KEY_ID_LENGTH = 8;
const KEY_ID = 9;

/** An envelope that was found, and all that it may belong to by what lies beside it. */
export interface Sealed {
  readonly envelope: Buffer;
  readonly contexts: readonly EnvelopeContext[];
}

export interface Unsealed {
  readonly purpose: Purpose;
  readonly context: EnvelopeContext;
  readonly plaintext: Buffer;
}

export function isEnvelope(bytes: Buffer): boolean {
  return bytes.subarray(0, MAGIC.length).equals(MAGIC);
}

/** Tries a key on an envelope, whatever key the envelope asks for. @returns undefined where it is not its key */
export function openSealed(bytes: Buffer, { envelope, contexts }: Sealed): Unsealed | undefined {
  const kind = envelope.readUInt16BE(KIND);
  const [purpose, known] = Object.entries(PURPOSES).find(([, { code }]) => code === kind) ?? [];
  if (purpose === undefined || known === undefined) return undefined;
  const head = KEY_ID + envelope.readUInt8(KEY_ID_LENGTH) + 4;
  const key: EnvelopeKey = {
    id: envelope.toString('latin1', KEY_ID, head - 4),
    version: envelope.readUInt32BE(head - 4),
    holds: known.holds,
    bytes,
  };
  const salt = envelope.subarray(head, head + SALT_BYTES);
  const { commitment } = deriveKeys(key, salt, purpose as Purpose);
  const at = head + SALT_BYTES;
  if (!commitment.equals(envelope.subarray(at, at + COMMITMENT_BYTES))) return undefined;
  for (const context of contexts) {
    try {
      return { purpose: purpose as Purpose, context, plaintext: openEnvelope(key, purpose as Purpose, context, envelope) };
    } catch (error) {
      if (!(error instanceof SecureGateError)) throw error;
    }
  }
  return undefined;
}
