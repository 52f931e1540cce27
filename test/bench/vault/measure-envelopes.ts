import { randomBytes } from 'node:crypto';
import { encodeFace } from '../../../edge/vault/customers/face-record.ts';
import { gcmDecrypt, gcmEncrypt } from '../../../shared/crypto/aes-256-gcm.ts';
import { deriveKeys, type EnvelopeKey, SALT_BYTES } from '../../../shared/crypto/envelope.ts';
import { openEnvelope } from '../../../shared/crypto/open-envelope.ts';
import { sealEnvelope } from '../../../shared/crypto/seal-envelope.ts';
import { embeddingOf } from '../../helpers/vault-guests.ts';
import { medianOf } from '../stages/median-of.ts';

const CONTEXT = { org: 'bench', tenant: 'bench', customer: 'cus_bench', record: 'fac_bench', model: 'bench' };

export interface EnvelopeFigures {
  /** Of a stored face, a second. */
  readonly seal: number;
  readonly open: number;
  /** AES-256-GCM alone, of the same bytes. */
  readonly bareSeal: number;
  readonly bareOpen: number;
}

export async function measureEnvelopes(): Promise<EnvelopeFigures> {
  const key = benchKey();
  const face = encodeFace({ embedding: embeddingOf(1), quality: 0.75, enrolledAt: Date.now() });
  const [bareKey, nonce, aad] = [randomBytes(32), randomBytes(12), Buffer.from('bench')];
  const envelope = sealEnvelope(key, 'face', CONTEXT, face);
  const sealed = gcmEncrypt(bareKey, nonce, aad, face);
  const took = await medianOf({
    seal: () => sealEnvelope(key, 'face', CONTEXT, face),
    open: () => openEnvelope(key, 'face', CONTEXT, envelope),
    bareSeal: () => gcmEncrypt(bareKey, nonce, aad, face),
    bareOpen: () => gcmDecrypt(bareKey, nonce, aad, sealed),
  });
  return { seal: 1000 / took.seal, open: 1000 / took.open, bareSeal: 1000 / took.bareSeal, bareOpen: 1000 / took.bareOpen };
}

/** Salts and nonces that came twice in so many envelopes of one key; one would be one too many. */
export function countRepeats(envelopes: number): number {
  const key = benchKey();
  const seen = new Set<string>();
  for (let count = 0; count < envelopes; count += 1) {
    const from = 13 + key.id.length;
    const salt = sealEnvelope(key, 'face', CONTEXT, Buffer.alloc(8)).subarray(from, from + SALT_BYTES);
    const derived = deriveKeys(key, salt, 'face');
    seen.add(salt.toString('latin1')).add(derived.nonce.toString('latin1'));
    derived.wipe();
  }
  return 2 * envelopes - seen.size;
}

function benchKey(): EnvelopeKey {
  return { id: 'cek_bench', version: 1, holds: 'data', bytes: randomBytes(32) };
}
