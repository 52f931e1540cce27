import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { FaceShot } from '../pipeline/frame.ts';
import { wipe } from '../pipeline/sighting/dossier.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Part } from '../runtime/lifecycle.ts';

/** How often what is too old is looked for; it is overwritten this much before its time rather than after it. */
const SWEEP_EVERY_MS = 100;
/** 37 KiB each. */
const MOST_PER_TENANT = 200;
/** A hold that nobody renews is over so soon: it ends with the dialog that asks for it, however that was closed. */
const HOLD_MS = 10_000;
/** A hold ends after this time in any case, counted from its beginning. */
const LONGEST_HOLD_MS = 180_000;
const MOST_HELD = 8;

interface KeptShot {
  readonly shot: FaceShot;
  /** Monotonic, so that setting the clock lets no shot live longer. */
  readonly takenAt: number;
  readonly hold?: { readonly since: number; readonly until: number } | undefined;
}

/** How long a shot is held, milliseconds from now. */
export interface Hold {
  readonly forMs: number;
  /** However often it is renewed. */
  readonly atMostMs: number;
}

/**
 * The best shot of each recent sighting, in memory alone, so that somebody unknown can be enrolled while he stands there.
 * Each is overwritten when it is as old as its tenant allows, or when a hold on it is over.
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

  drop(tenant: string): void {
    for (const { shot } of this.#tenants.get(tenant)?.values() ?? []) wipe(shot);
    this.#tenants.delete(tenant);
  }

  /** Copies the shot, unless a better one of this sighting is kept. @param takenAt monotonic, milliseconds */
  offer(tenant: string, sightingId: string, shot: FaceShot, takenAt: number): void {
    const kept = this.#tenants.get(tenant) ?? new Map<string, KeptShot>();
    this.#tenants.set(tenant, kept);
    const earlier = kept.get(sightingId);
    if (earlier !== undefined && earlier.shot.quality.overall >= shot.quality.overall) return;
    if (earlier !== undefined) wipe(earlier.shot);
    kept.delete(sightingId);
    kept.set(sightingId, { shot: copyOf(shot), takenAt, hold: earlier?.hold });
    for (const [id, { shot: oldest, hold }] of kept) {
      if (kept.size <= MOST_PER_TENANT) break;
      if (hold !== undefined) continue;
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

  /**
   * Keeps a shot for the while that it takes to ask somebody who stands there, and to write down what he agreed to.
   * @returns undefined when there is none (any more)
   * @throws {SecureGateError} `overloaded` when as many are held as may be
   */
  hold(tenant: string, sightingId: string): Hold | undefined {
    const shots = this.#tenants.get(tenant);
    const kept = shots?.get(sightingId);
    if (shots === undefined || kept === undefined || this.#isOver(tenant, kept)) return undefined;
    if (
      kept.hold === undefined &&
      shots
        .values()
        .filter(({ hold }) => hold !== undefined)
        .toArray().length >= MOST_HELD
    ) {
      throw new SecureGateError('overloaded', 'As many faces as may be are held for enrolment', { details: { most: MOST_HELD } });
    }
    const now = this.#clock.monotonic();
    const since = kept.hold?.since ?? now;
    const until = Math.min(now + HOLD_MS, since + LONGEST_HOLD_MS);
    shots.set(sightingId, { ...kept, hold: { since, until } });
    return { forMs: until - now, atMostMs: since + LONGEST_HOLD_MS - now };
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

  #isOver(tenant: string, { takenAt, hold }: KeptShot): boolean {
    const now = this.#clock.monotonic();
    return now - takenAt >= this.#ttlMs(tenant) - SWEEP_EVERY_MS && (hold === undefined || now >= hold.until - SWEEP_EVERY_MS);
  }
}

function copyOf(shot: FaceShot): FaceShot {
  const { width, height, data } = shot.aligned;
  const copy = Buffer.alloc(data.length);
  copy.set(data);
  return { ...shot, aligned: { width, height, data: copy } };
}
