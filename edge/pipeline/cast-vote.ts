import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { FaceShot } from './frame.ts';
import { comesClose, decide } from './match/decide.ts';
import type { PipelineOptions } from './pipeline-options.ts';
import { type Dossier, type Moment, wipe } from './sighting/dossier.ts';
import { timed } from './timed.ts';

/** Candidates asked of the gallery for each shot: enough to see that two customers are too close to tell apart. */
const CANDIDATES = 5;

/**
 * Has the gallery say whom the shots of a track resemble that wait for it.
 * @param completed when the frame came that completed the vote; null where the track's end does
 */
export async function castVote(options: PipelineOptions, dossier: Dossier, completed: Moment | null): Promise<void> {
  const { search, times, threshold, onSighting, onBestShot, counters, clock, logger, camera } = options;
  const shots = dossier.takeShots();
  const [best] = shots;
  if (best === undefined) return;
  if (dossier.bestShotAt !== undefined) onBestShot?.(dossier.id, best, dossier.bestShotAt);
  try {
    const embeddings = await embed(options, shots);
    const answer = timed(clock, times.search, search(embeddings, CANDIDATES));
    for (const embedding of embeddings) embedding.fill(0);
    const ballots = dossier.addBallots(await answer);
    if (completed !== null) times.candidates.record(clock.monotonic() - completed.monotonic);
    dossier.conclude(decide(ballots, threshold));
    if (!comesClose(ballots, threshold)) dossier.giveUp();
    if (dossier.recognised) onSighting(dossier.toSighting('begun'));
  } catch (error) {
    counters.failures += 1;
    const { code, message } = SecureGateError.from(error);
    // A vault that is away fails every vote of every camera until it is back: a line each, not a stack trace each.
    logger.warn(code === 'internal' ? { err: error, camera } : { code, reason: message, camera }, 'vote given up');
  }
}

/** All or none, and nothing of a face is left in the shots. */
async function embed({ byModels, times, clock }: PipelineOptions, shots: readonly FaceShot[]): Promise<Float32Array[]> {
  const outcomes = await byModels(({ stages }) =>
    Promise.allSettled(shots.map(({ aligned }) => timed(clock, times.embed, stages.embed(aligned)))),
  );
  for (const shot of shots) wipe(shot);
  const embeddings = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed === undefined) return embeddings;
  for (const embedding of embeddings) embedding.fill(0);
  throw failed.reason;
}
