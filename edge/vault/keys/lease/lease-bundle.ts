import { randomBytes } from 'node:crypto';
import type { EnvelopeContext, EnvelopeKey } from '../../../../shared/crypto/envelope.ts';
import { openEnvelope } from '../../../../shared/crypto/open-envelope.ts';
import { sealEnvelope } from '../../../../shared/crypto/seal-envelope.ts';
import type { HeldLease } from './lease-cache.ts';

/** All leases of one tenant, by epoch. Whoever holds it wipes it. */
export type LeaseBundle = Map<number, HeldLease>;

export const BUNDLE_KEY_BYTES = 32;
const TEK_BYTES = 32;
const HEAD_BYTES = 4 + 2;

/** Key of one bundle, used once. @returns unpooled bytes that the caller wipes */
export function newBundleKey(): Buffer {
  return randomBytes(BUNDLE_KEY_BYTES);
}

/**
 * Seals a bundle: for each lease its epoch (32 bits) and the length of its token (16 bits), big-endian, the tenant key and the token.
 * No JSON: it would make strings of the keys, which nobody can wipe.
 */
export function sealBundle(key: Buffer, context: EnvelopeContext, bundle: LeaseBundle): Buffer {
  const size = [...bundle.values()].reduce((sum, { token }) => sum + HEAD_BYTES + TEK_BYTES + Buffer.byteLength(token), 0);
  const plain = Buffer.alloc(size);
  let at = 0;
  for (const [epoch, { token, tek }] of bundle) {
    at = plain.writeUInt32BE(epoch, at);
    at = plain.writeUInt16BE(Buffer.byteLength(token), at);
    at += tek.copy(plain, at);
    at += plain.write(token, at);
  }
  try {
    return sealEnvelope(envelopeKey(key), 'held-leases', context, plain);
  } finally {
    plain.fill(0);
  }
}

/** @throws {SecureGateError} `envelope_rejected` */
export function openBundle(key: Buffer, context: EnvelopeContext, sealed: Uint8Array): LeaseBundle {
  const plain = openEnvelope(envelopeKey(key), 'held-leases', context, sealed);
  const bundle: LeaseBundle = new Map();
  try {
    for (let at = 0; at < plain.length; ) {
      const epoch = plain.readUInt32BE(at);
      const length = plain.readUInt16BE(at + 4);
      const tek = Buffer.alloc(TEK_BYTES);
      at += HEAD_BYTES + plain.copy(tek, 0, at + HEAD_BYTES, at + HEAD_BYTES + TEK_BYTES);
      bundle.set(epoch, { tek, token: plain.toString('utf8', at, at + length) });
      at += length;
    }
  } finally {
    plain.fill(0);
  }
  return bundle;
}

/** Takes one lease out of a bundle and wipes the rest. */
export function takeLease(bundle: LeaseBundle, epoch: number): HeldLease | undefined {
  const lease = bundle.get(epoch);
  bundle.delete(epoch);
  wipeBundle(bundle);
  return lease;
}

export function wipeBundle(bundle: LeaseBundle): void {
  for (const { tek } of bundle.values()) tek.fill(0);
  bundle.clear();
}

function envelopeKey(bytes: Buffer): EnvelopeKey {
  return { id: 'lease-cache', version: 1, holds: 'keys', bytes };
}
