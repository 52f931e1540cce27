import type { Sighting } from '../../../shared/messages/events.ts';
import type { Box, FaceShot } from '../frame.ts';

/** Good shots that make one vote, and votes that are taken before a track is left as it is. */
const SHOTS_PER_VOTE = 3;
const MAX_VOTES = 3;

/** Which track on which camera, and with which models it is looked at. */
export interface DossierIdentity {
  readonly id: string;
  readonly tenant: string;
  readonly camera: string;
  readonly track: number;
  readonly models: Sighting['models'];
}

/** A moment in wall-clock time and in the stream's own time, milliseconds. */
export interface Moment {
  readonly at: number;
  readonly mediaMs: number;
}

interface KeptShot {
  readonly shot: FaceShot;
  readonly moment: Moment;
}

/** What the gallery answered for one shot: the customers nearest to it. */
export type Ballot = readonly { readonly customerId: string; readonly score: number }[];

/** What the votes so far say. */
export type Verdict =
  | { readonly outcome: 'person'; readonly customerId: string; readonly score: number; readonly votes: number }
  | { readonly outcome: 'unknown'; readonly score: number | null; readonly votes: number };

/**
 * All that is known of one track while it lasts: where and when it was seen, the best shots that wait for a vote, and
 * the verdict. A face that matched nobody leaves nothing: its shots are overwritten after the vote, or when they grow older
 * than the tenant's `unmatchedTtlMs`, whichever comes first.
 */
export class Dossier {
  readonly #identity: DossierIdentity;
  readonly #started: Moment;
  #last: Moment;
  #box: Box;
  #waiting: KeptShot[] = [];
  #offered = 0;
  #votes = 0;
  #best: { box: Box; moment: Moment; overall: number } | undefined;
  readonly #ballots: Ballot[] = [];
  #verdict: Verdict | undefined;

  constructor(identity: DossierIdentity, started: Moment, box: Box) {
    this.#identity = identity;
    this.#started = started;
    this.#last = started;
    this.#box = box;
  }

  get id(): string {
    return this.#identity.id;
  }

  /** What is known so far. */
  get known(): Pick<Sighting, 'outcome' | 'customerId'> {
    return {
      outcome: this.#verdict?.outcome ?? 'undecided',
      customerId: this.#verdict?.outcome === 'person' ? this.#verdict.customerId : null,
    };
  }

  /** When the best shot was taken that a vote was cast on, milliseconds since the Unix epoch. */
  get bestShotAt(): number | undefined {
    return this.#best?.moment.at;
  }

  get recognised(): boolean {
    return this.#verdict?.outcome === 'person';
  }

  /** Whether another shot could still change what is known: recognise once, then stop. */
  get wantsShots(): boolean {
    return !this.recognised && this.#votes < MAX_VOTES;
  }

  seen(moment: Moment, box: Box): void {
    this.#last = moment;
    this.#box = box;
  }

  /** Keeps the shot if it is among the best ones that wait for the next vote. */
  offer(shot: FaceShot, moment: Moment): void {
    this.#offered += 1;
    this.#waiting.push({ shot, moment });
    this.#waiting.sort((a, b) => b.shot.quality.overall - a.shot.quality.overall);
    for (const { shot: dropped } of this.#waiting.splice(SHOTS_PER_VOTE)) wipe(dropped);
  }

  /** Enough good shots have come in for a vote. */
  get voteDue(): boolean {
    return this.wantsShots && this.#offered >= SHOTS_PER_VOTE;
  }

  /** Hands out the shots that wait, best first; the caller wipes them with {@link wipe} after use. */
  takeShots(): FaceShot[] {
    const taken = this.#waiting;
    this.#waiting = [];
    this.#offered = 0;
    if (taken.length > 0) this.#votes += 1;
    for (const { shot, moment } of taken) {
      if (this.#best === undefined || shot.quality.overall > this.#best.overall) {
        this.#best = { box: shot.box, moment, overall: shot.quality.overall };
      }
    }
    return taken.map(({ shot }) => shot);
  }

  /** Adds the gallery's answers of a vote. @returns all answers of this track, which decide together */
  addBallots(ballots: readonly Ballot[]): readonly Ballot[] {
    this.#ballots.push(...ballots);
    return this.#ballots;
  }

  conclude(verdict: Verdict): void {
    if (!this.recognised) this.#verdict = verdict;
  }

  /** Overwrites shots older than `ttlMs`. */
  expire(now: number, ttlMs: number): void {
    const old = this.#waiting.filter(({ moment }) => now - moment.at > ttlMs);
    if (old.length === 0) return;
    for (const { shot } of old) wipe(shot);
    this.#waiting = this.#waiting.filter((kept) => !old.includes(kept));
    this.#offered = this.#waiting.length;
  }

  toSighting(phase: Sighting['phase']): Sighting {
    const iso = (moment: Moment): string => new Date(moment.at).toISOString();
    return {
      type: 'sighting',
      phase,
      ...this.#identity,
      startedAt: iso(this.#started),
      bestShotAt: this.#best === undefined ? null : iso(this.#best.moment),
      endedAt: iso(this.#last),
      media: { startMs: this.#started.mediaMs, bestShotMs: this.#best?.moment.mediaMs ?? null, endMs: this.#last.mediaMs },
      box: this.#best?.box ?? this.#box,
      ...this.known,
      score: this.#verdict?.score ?? null,
      votes: this.#verdict?.votes ?? 0,
    };
  }
}

/** Overwrites the picture of a face. */
export function wipe(shot: FaceShot): void {
  shot.aligned.data.fill(0);
}
