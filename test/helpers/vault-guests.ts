import type { Consent } from '../../edge/vault/client.ts';
import { newId } from '../../shared/ids/ids.ts';
import type { Sighting } from '../../shared/messages/events.ts';

export const MODEL = 'test-embedder';

/** An L2-normalised vector that only this seed gives; those of two seeds are about orthogonal. */
export function embeddingOf(seed: number): Float32Array {
  const vector = new Float32Array(512);
  let state = (seed + 1) * 2654435761;
  for (let index = 0; index < vector.length; index += 1) {
    // Numerical Recipes' linear congruential generator; its upper bits are random enough here.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    vector[index] = state / 2 ** 31 - 1;
  }
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
}

/** @param endsIn milliseconds from `now` to the consent's end */
export function consentFor(endsIn = 3_600_000, now = Date.now()): Consent {
  return {
    noticeVersion: '2026-11',
    purpose: 'recognition at the entrance',
    givenAt: new Date(now - 60_000).toISOString(),
    expiresAt: new Date(now + endsIn).toISOString(),
  };
}

export function face(seed: number): { embedding: Float32Array; model: string; quality: number } {
  return { embedding: embeddingOf(seed), model: MODEL, quality: 0.75 };
}

/** Somebody to enrol whose name and face follow from the seed. */
export function guest(seed: number): { profile: { name: string }; consent: Consent; faces: ReturnType<typeof face>[] } {
  return { profile: { name: `Guest Number ${seed}` }, consent: consentFor(), faces: [face(seed)] };
}

export function sightingOf(customerId: string | null, tenant = 'hall', outcome: Sighting['outcome'] = 'person'): Sighting {
  const at = new Date().toISOString();
  return {
    type: 'sighting',
    phase: 'ended',
    id: newId('sighting'),
    tenant,
    camera: 'door',
    track: 7,
    startedAt: at,
    bestShotAt: at,
    endedAt: at,
    media: { startMs: 0, bestShotMs: 40, endMs: 400 },
    box: { x: 1, y: 2, width: 80, height: 90 },
    outcome,
    customerId,
    score: customerId === null ? null : 0.8,
    votes: 3,
    models: { detector: 'test-detector', landmarks: 'landmarks-68', embedder: MODEL },
  };
}

/** Bytes that begin as a JPEG does and follow from the seed. */
export function pictureOf(seed: number): Buffer {
  return Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from(`picture ${seed}, findable. `.repeat(40))]);
}
