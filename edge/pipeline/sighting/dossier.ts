import type { Sighting } from '../../../shared/messages/events.ts';
import type { Ballot, Box, FaceShot, Verdict } from '../frame.ts';

/** Good shots that make one vote, and votes that are taken before a track is left as it is. */
const SHOTS_PER_VOTE = 3;
const MAX_VOTES = 3;
/** After its votes a face that nobody knew is looked at this often, in case it is seen better by then. */
const LOOK_AGAIN_MS = 1000;
/** A shot whose quality is so many times that of the best one that voted makes the votes so far worthless. */
const CLEARLY_BETTER = 1.25;

/** Which track on which camera, and with which models it is looked at. */
export interface DossierIdentity {
  readonly id: string;
  readonly tenant: string;
  readonly camera: string;
  readonly track: number;
  readonly models: Sighting['models'];
}

/** A moment in wall-clock time, in the stream's own time and in monotonic time, milliseconds. */
export interface Moment {
  readonly at: number;
  readonly mediaMs: number;
  readonly monotonic: number;
}

interface KeptShot {
  readonly shot: FaceShot;
  readonly moment: Moment;
}

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
  #ballots: Ballot[] = [];
  #lookedMs = Number.NEGATIVE_INFINITY;
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
      customerId: this.#verdict?.customerId ?? null,
    };
  }

  /** When the best shot was taken that a vote was cast on, monotonic. */
  get bestShotAt(): number | undefined {
    return this.#best?.moment.monotonic;
  }

  get recognised(): boolean {
    return this.#verdict?.outcome === 'person';
  }

  /** Votes are still open: a person is recognised once, and somebody whom nobody resembles is left alone; a doubt takes a few tries. */
  get #undecided(): boolean {
    return !this.recognised && this.#votes < MAX_VOTES;
  }

  /**
   * Whether a look at the face at this moment could still change what is known. After the votes it rarely can: a guest who
   * came in blurred or far away comes closer.
   */
  wantsLook({ mediaMs }: Pick<Moment, 'mediaMs'>): boolean {
    return this.#undecided || (!this.recognised && mediaMs - this.#lookedMs >= LOOK_AGAIN_MS);
  }

  /** The face is looked at. */
  looked({ mediaMs }: Moment): void {
    this.#lookedMs = mediaMs;
  }

  seen(moment: Moment, box: Box): void {
    this.#last = moment;
    this.#box = box;
  }

  /** Takes the shot over, and keeps it if it is among the best ones that wait for the next vote. */
  offer(shot: FaceShot, moment: Moment): void {
    if (!this.#undecided) {
      if (this.recognised || shot.quality.overall < CLEARLY_BETTER * (this.#best?.overall ?? 0)) {
        wipe(shot);
        return;
      }
      this.#votes = 0;
      this.#ballots = [];
    }
    this.#offered += 1;
    this.#waiting.push({ shot, moment });
    this.#waiting.sort((a, b) => b.shot.quality.overall - a.shot.quality.overall);
    for (const { shot: dropped } of this.#waiting.splice(SHOTS_PER_VOTE)) wipe(dropped);
  }

  /** Enough good shots have come in for a vote. */
  get voteDue(): boolean {
    return this.#undecided && this.#offered >= SHOTS_PER_VOTE;
  }

  /** Shots wait for a vote. */
  get waiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Hands out the shots that wait, best first; the caller wipes them with {@link wipe} after use. */
  takeShots(): FaceShot[] {
    const taken = this.#waiting;
    this.#waiting = [];
    this.#offered = 0;
    for (const { shot, moment } of taken) {
      if (this.#best === undefined || shot.quality.overall > this.#best.overall) {
        this.#best = { box: shot.box, moment, overall: shot.quality.overall };
      }
    }
    return taken.map(({ shot }) => shot);
  }

  /** Adds the gallery's answers of a vote; one that got none does not count. @returns all answers that decide together */
  addBallots(ballots: readonly Ballot[]): readonly Ballot[] {
    this.#votes += 1;
    this.#ballots.push(...ballots);
    return this.#ballots;
  }

  conclude(verdict: Verdict): void {
    if (!this.recognised) this.#verdict = verdict;
  }

  /** Nobody resembles this face: only one that is seen clearly better is worth another vote. */
  giveUp(): void {
    this.#votes = MAX_VOTES;
  }

  /** Takes back the name of somebody who may not be named any more. */
  forget(customerId: string): void {
    this.#ballots = this.#ballots.map((ballot) => ballot.filter((candidate) => candidate.customerId !== customerId));
    if (this.#verdict?.customerId !== customerId) return;
    this.#verdict = { outcome: 'unknown', customerId: null, score: null, votes: this.#verdict.votes };
  }

  /** Overwrites shots older than `ttlMs`. @param now monotonic, since the wall clock may be set back */
  expire(now: number, ttlMs: number): void {
    const old = this.#waiting.filter(({ moment }) => now - moment.monotonic > ttlMs);
    if (old.length === 0) return;
    for (const { shot } of old) wipe(shot);
    this.#waiting = this.#waiting.filter((kept) => !old.includes(kept));
    this.#offered = this.#waiting.length;
  }

  /** Overwrites the shots that no vote took. */
  close(): void {
    for (const { shot } of this.#waiting.splice(0)) wipe(shot);
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
