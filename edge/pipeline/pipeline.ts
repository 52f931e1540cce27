import { newId } from '../../shared/ids/ids.ts';
import type { RgbImage } from '../inference/image.ts';
import type { Region } from '../inference/resize.ts';
import { LatestQueue } from '../runtime/latest-queue.ts';
import { castVote } from './cast-vote.ts';
import { partsToLookAt } from './detect/parts-to-look-at.ts';
import type { Detection, Frame, SeenTrack, WantedPixels } from './frame.ts';
import { MotionGate } from './motion/motion-gate.ts';
import type { ModelsAtWork, PipelineOptions } from './pipeline-options.ts';
import { Dossier, type Moment, wipe } from './sighting/dossier.ts';
import { timed } from './timed.ts';
import { Tracker, type TrackView } from './track/tracker.ts';

/** Frames of one camera that may wait while one is being looked at. */
export const WAITING_FRAMES = 2;
/** Stands in the queue where a stream was over. It may be dropped like a frame: the next stream's first frame says the same. */
const CUT = Symbol('cut');
/** A tenth of the shortest time that a tenant can let shots live. */
const EXPIRY_EVERY_MS = 100;

/**
 * The one place that knows the order of the stages:
 * motion gate > detect > track > best shots (align, quality) > embed > match > sighting, for the frames of one camera.
 */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #queue: LatestQueue<Frame | typeof CUT>;
  readonly #gate = new MotionGate();
  readonly #tracker = new Tracker();
  readonly #dossiers = new Map<number, Dossier>();
  /** Votes and endings that are under way, apart from the frames' rhythm. */
  readonly #pending = new Map<Dossier, Promise<void>>();
  /** Frames that somebody still takes a look at. */
  readonly #shown = new Set<Promise<void>>();
  #last: Pick<Frame, 'sequence' | 'mediaMs' | 'width' | 'height'> | undefined;
  /** Of the frame that was looked at last. */
  #tracks: readonly TrackView[] = [];
  #running: Promise<void> | undefined;
  /** A frame is being looked at. */
  #looking = false;
  /** Whether the last frame was given up. */
  #failing = false;
  #expiry: NodeJS.Timeout | undefined;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#queue = new LatestQueue(WAITING_FRAMES, (dropped) => {
      if (dropped === CUT) return;
      options.counters.skipped += 1;
      dropped.release();
    });
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Frames that wait to be looked at; the end of a stream in between counts as one. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** What a look at a frame of this picture takes. While others are still looked at, they may change the answer: then it is the whole. */
  wants(picture: RgbImage & { readonly mediaMs: number }): WantedPixels {
    if (this.#looking || this.#queue.size > 0) return 'whole';
    if (this.#tracker.idle && !this.#gate.passes(picture)) return 'nothing';
    // A face is recognised from the picture after the one in which it was found first: by then its track is waiting.
    const faces = this.#tracker.unconfirmed || this.#dossiers.values().some((dossier) => dossier.wantsLook(picture));
    return faces || this.#options.tiles !== undefined ? 'whole' : 'reduced';
  }

  /** Takes a frame over; never blocks. It need not have more pixels than were wanted. */
  push(frame: Frame): void {
    this.#queue.push(frame);
  }

  /** The stream is over: once its last frames are looked at its tracks end, since the next stream's time starts anew. */
  cut(): void {
    this.#queue.push(CUT);
  }

  /** Somebody who agreed no longer is unknown from now on, also while he is in view. */
  forget(customerId: string): void {
    for (const dossier of [...this.#dossiers.values(), ...this.#pending.keys()]) dossier.forget(customerId);
  }

  /** Looks at what is still waiting, reports the tracks that are under way and ends. */
  async stop(): Promise<void> {
    this.#queue.close();
    await this.#running;
    this.#endTracks();
    await Promise.all(this.#pending.values());
    await Promise.all(this.#shown);
    clearInterval(this.#expiry);
  }

  async #run(): Promise<void> {
    for (let item = await this.#queue.next(); item !== undefined; item = await this.#queue.next()) {
      this.#looking = true;
      if (item === CUT) this.#endTracks();
      else await this.#take(item);
      this.#looking = false;
    }
  }

  async #take(frame: Frame): Promise<void> {
    const { byModels, counters, latency, times, clock, logger, camera } = this.#options;
    let looked = false;
    try {
      if (this.#beginsAnew(frame)) this.#endTracks();
      const { sequence, mediaMs, width, height } = frame;
      this.#last = { sequence, mediaMs, width, height };
      await byModels((models) => this.#look(frame, models));
      counters.frames += 1;
      const tookMs = clock.monotonic() - frame.arrivedMonotonic;
      latency.record(tookMs);
      times.frame.record(tookMs);
      looked = true;
      this.#failing = false;
    } catch (error) {
      counters.failures += 1;
      // What fails one frame may fail every one for hours: the first of a row is told, all are counted.
      if (!this.#failing) logger.error({ err: error, camera }, 'frame given up, and those after it as long as this lasts');
      this.#failing = true;
      this.#seeNobody(frame);
    } finally {
      if (looked) this.#show(frame);
      else frame.release();
    }
  }

  /** Gives the frame back, once whoever takes a look at it is done. */
  #show(frame: Frame): void {
    const { onLooked, logger, camera } = this.#options;
    const shown = onLooked?.(frame, () => this.#seen);
    if (shown === undefined) {
      frame.release();
      return;
    }
    const done = shown
      .catch((error: unknown) => logger.warn({ err: error, camera }, 'frame not shown'))
      .finally(() => {
        this.#shown.delete(done);
        frame.release();
      });
    this.#shown.add(done);
  }

  /** Another connection, a camera that set its clock back, or another picture size: boxes and times of before mean nothing now. */
  #beginsAnew({ sequence, mediaMs, width, height }: Frame): boolean {
    const last = this.#last;
    if (last === undefined) return false;
    return sequence <= last.sequence || mediaMs < last.mediaMs || width !== last.width || height !== last.height;
  }

  async #look(frame: Frame, atWork: ModelsAtWork): Promise<void> {
    const seen = { ...(frame.reduced ?? frame), mediaMs: frame.mediaMs };
    const where = seen.data.length === 0 ? [] : this.#whereToLook(seen, frame, atWork);
    const detections = where.length === 0 ? [] : await this.#detect(frame, where, atWork);
    const { tracks, ended } = this.#tracker.update(detections, frame.mediaMs);
    // Whoever is not where he was expected may be anywhere.
    if (this.#tracker.justLost) this.#gate.reset();
    else if (where.length > 0) this.#gate.looked(seen, where, frame);
    this.#tracks = tracks;
    const moment: Moment = { at: frame.arrivedAt, mediaMs: frame.mediaMs, monotonic: frame.arrivedMonotonic };
    const wanted: { dossier: Dossier; index: number }[] = [];
    for (const view of tracks) {
      const dossier = this.#dossierOf(view, moment, atWork);
      if (view.detectionIndex === null) continue;
      dossier.seen(moment, view.box);
      if (frame.data.length === 0 || !dossier.wantsLook(moment)) continue;
      dossier.looked(moment);
      wanted.push({ dossier, index: view.detectionIndex });
    }
    await this.#gatherShots(frame, moment, wanted, detections, atWork);
    for (const view of ended) this.#end(view);
  }

  /** Who was in view when pictures could last be looked at does not stay there for as long as they cannot. */
  #seeNobody({ mediaMs }: Frame): void {
    const { tracks, ended } = this.#tracker.update([], mediaMs);
    this.#gate.reset();
    this.#tracks = tracks;
    for (const view of ended) this.#end(view);
  }

  /** Where nobody is expected and nothing has changed, nobody is looked for. */
  #whereToLook(seen: RgbImage & { readonly mediaMs: number }, frame: Frame, { fields }: ModelsAtWork): 'whole' | readonly Region[] {
    const { tiles } = this.#options;
    if (this.#gate.wholeDue(seen)) return 'whole';
    if (fields === undefined || tiles !== undefined) return this.#tracker.idle && !this.#gate.passes(seen) ? [] : 'whole';
    return partsToLookAt(this.#gate.changes(seen, frame), this.#tracker.expected(frame.mediaMs), frame, fields);
  }

  #detect(frame: Frame, where: 'whole' | readonly Region[], { stages }: ModelsAtWork): Promise<Detection[]> {
    const { tiles, times, clock } = this.#options;
    return timed(clock, times.detect, where === 'whole' ? stages.detect(frame, tiles) : stages.detectIn(frame, where));
  }

  async #gatherShots(
    frame: Frame,
    moment: Moment,
    wanted: readonly { dossier: Dossier; index: number }[],
    detections: readonly Detection[],
    { stages }: ModelsAtWork,
  ): Promise<void> {
    if (wanted.length === 0) return;
    const { counters, times, clock } = this.#options;
    const faces = wanted.flatMap(({ index }) => detections[index] ?? []);
    const shots = await timed(clock, times.analyse, stages.analyse(frame, faces, 'recognise'));
    shots.forEach((shot, position) => {
      for (const reason of shot.rejections) counters.rejections.set(reason, (counters.rejections.get(reason) ?? 0) + 1);
      const dossier = wanted[position]?.dossier;
      if (dossier === undefined || shot.rejections.length > 0) {
        wipe(shot);
        return;
      }
      dossier.offer(shot, moment);
      this.#expireShots();
      if (dossier.voteDue && !this.#pending.has(dossier)) this.#inBackground(dossier, () => castVote(this.#options, dossier, moment));
    });
  }

  /** As long as shots wait somewhere. A timer of each camera of an empty building would wake the box more often than its pictures do. */
  #expireShots(): void {
    this.#expiry ??= setInterval(() => {
      const { unmatchedTtlMs, clock } = this.#options;
      const dossiers = [...this.#dossiers.values(), ...this.#pending.keys()];
      for (const dossier of dossiers) dossier.expire(clock.monotonic(), unmatchedTtlMs);
      if (dossiers.some(({ waiting }) => waiting)) return;
      clearInterval(this.#expiry);
      this.#expiry = undefined;
    }, EXPIRY_EVERY_MS);
  }

  get #seen(): SeenTrack[] {
    return this.#tracks.flatMap(({ id, box }) => {
      const dossier = this.#dossiers.get(id);
      return dossier === undefined ? [] : [{ track: id, box, ...dossier.known }];
    });
  }

  #dossierOf(view: TrackView, moment: Moment, { models }: ModelsAtWork): Dossier {
    const known = this.#dossiers.get(view.id);
    if (known !== undefined) return known;
    const { tenant, camera, counters } = this.#options;
    counters.tracks += 1;
    const age = moment.mediaMs - view.startedMs;
    const started: Moment = { at: moment.at - age, mediaMs: view.startedMs, monotonic: moment.monotonic - age };
    const dossier = new Dossier({ id: newId('sighting'), tenant, camera, track: view.id, models }, started, view.box);
    this.#dossiers.set(view.id, dossier);
    return dossier;
  }

  #endTracks(): void {
    this.#last = undefined;
    this.#gate.reset();
    for (const view of this.#tracker.flush()) this.#end(view);
  }

  #end(view: TrackView): void {
    const dossier = this.#dossiers.get(view.id);
    if (dossier === undefined) return;
    this.#dossiers.delete(view.id);
    const earlier = this.#pending.get(dossier);
    this.#inBackground(dossier, async () => {
      await earlier;
      if (!dossier.recognised) await castVote(this.#options, dossier, null);
      dossier.close();
      this.#options.onSighting(dossier.toSighting('ended'));
    });
  }

  #inBackground(dossier: Dossier, work: () => Promise<void>): void {
    const done = work()
      .catch((error: unknown) => {
        this.#options.logger.error({ err: error, camera: this.#options.camera }, 'sighting given up');
      })
      .finally(() => {
        if (this.#pending.get(dossier) === done) this.#pending.delete(dossier);
      });
    this.#pending.set(dossier, done);
  }
}
