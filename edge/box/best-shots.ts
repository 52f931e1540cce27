import type { FaceShot } from '../pipeline/frame.ts';
import { wipe } from '../pipeline/sighting/dossier.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Part } from '../runtime/lifecycle.ts';

/** How often what is too old is looked for; it is overwritten this much before its time rather than after it. */
const SWEEP_EVERY_MS = 100;
/** 37 KiB each. */
const MOST_PER_TENANT = 200;

interface KeptShot {
  readonly shot: FaceShot;
  /** Monotonic, so that setting the clock lets no shot live longer. */
  readonly takenAt: number;
}

/**
 * The best shot of each recent sighting, in memory alone, so that somebody unknown can be enrolled while he stands there.
 * Each is overwritten when it is as old as its tenant allows.
 */
export class BestShots implements Part {
  readonly name = 'best shots';
  readonly #clock: Clock;
  readonly #ttlMs: (tenant: string) => number;
  readonly #tenants = new Map<string, Map<string, KeptShot>>();
  #timer: NodeJS.Timeout | undefined;

  /** @param ttlMs the tenant's `unmatchedTtlMs`, which may change at any time */
  constructor(clock: Clock, ttlMs: (tenant: string) => number) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#sweep(), SWEEP_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    for (const kept of this.#tenants.values()) for (const { shot } of kept.values()) wipe(shot);
    this.#tenants.clear();
  }

  /** Copies the shot, unless a better one of this sighting is kept. @param takenAt monotonic, milliseconds */
  offer(tenant: string, sightingId: string, shot: FaceShot, takenAt: number): void {
    const kept = this.#tenants.get(tenant) ?? new Map<string, KeptShot>();
    this.#tenants.set(tenant, kept);
    const earlier = kept.get(sightingId);
    if (earlier !== undefined && earlier.shot.quality.overall >= shot.quality.overall) return;
    if (earlier !== undefined) wipe(earlier.shot);
    kept.delete(sightingId);
    kept.set(sightingId, { shot: copyOf(shot), takenAt });
    for (const [id, { shot: oldest }] of kept) {
      if (kept.size <= MOST_PER_TENANT) break;
      wipe(oldest);
      kept.delete(id);
    }
  }

  /** A copy, which the caller overwrites after use; undefined when there is none (any more). */
  take(tenant: string, sightingId: string): FaceShot | undefined {
    const kept = this.#tenants.get(tenant)?.get(sightingId);
    return kept === undefined || this.#isOver(tenant, kept) ? undefined : copyOf(kept.shot);
  }

  has(tenant: string, sightingId: string): boolean {
    const kept = this.#tenants.get(tenant)?.get(sightingId);
    return kept !== undefined && !this.#isOver(tenant, kept);
  }

  #sweep(): void {
    for (const [tenant, shots] of this.#tenants) {
      for (const [id, kept] of shots) {
        if (!this.#isOver(tenant, kept)) continue;
        wipe(kept.shot);
        shots.delete(id);
      }
    }
  }

  #isOver(tenant: string, { takenAt }: KeptShot): boolean {
    return this.#clock.monotonic() - takenAt >= this.#ttlMs(tenant) - SWEEP_EVERY_MS;
  }
}

function copyOf(shot: FaceShot): FaceShot {
  const { width, height, data } = shot.aligned;
  const copy = Buffer.alloc(data.length);
  copy.set(data);
  return { ...shot, aligned: { width, height, data: copy } };
}
