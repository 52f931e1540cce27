import type { Logger } from '../../shared/log/create-logger.ts';
import type { Sighting } from '../../shared/messages/events.ts';
import type { Size } from '../inference/fit-image.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Quantiles } from '../runtime/quantiles.ts';
import type { TileGrid } from './detect/tile-regions.ts';
import type { Ballot, FaceShot, Frame, SeenTrack } from './frame.ts';
import type { StageTimes } from './stage-times.ts';
import type { Stages } from './stages.ts';

/** A model set at work. */
export interface ModelsAtWork {
  readonly stages: Stages;
  /** Fields of a frame, of which parts are made that can be looked at alone; undefined where all of it is looked at. */
  readonly fields: Size | undefined;
  /** Ids, as sightings name them. */
  readonly models: Sighting['models'];
}

/** Does some work by the models that are there when it begins. Others may take their place meanwhile: what begins later is theirs. */
export type ByModels<Models> = <Result>(work: (models: Models) => Promise<Result>) => Promise<Result>;

export interface PipelineOptions {
  readonly tenant: string;
  readonly camera: string;
  readonly tiles: TileGrid | undefined;
  /** Lowest cosine similarity that names a person. */
  readonly threshold: number;
  readonly unmatchedTtlMs: number;
  /** Those of one embedding model alone take each other's place: embeddings stay comparable. */
  readonly byModels: ByModels<ModelsAtWork>;
  /**
   * Asks the gallery of this camera's tenant; one list of candidates for each embedding. The embeddings are overwritten as
   * soon as the promise is there, however long the gallery takes to answer.
   */
  readonly search: (embeddings: Float32Array[], limit: number) => Promise<readonly Ballot[]>;
  readonly onSighting: (sighting: Sighting) => void;
  /** Takes a look at each analysed frame, also at one without pixels. The pixels are there until what it returns resolves; whoever returns nothing is done with them. */
  readonly onLooked?: (frame: Frame, tracks: () => SeenTrack[]) => Promise<void> | undefined;
  /** Takes a look at the best shot of each vote, which is overwritten afterwards: what is to stay must be copied. */
  readonly onBestShot?: (sightingId: string, shot: FaceShot, takenAt: number) => void;
  readonly counters: PipelineCounters;
  readonly latency: Quantiles;
  readonly times: StageTimes;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface PipelineCounters {
  frames: number;
  skipped: number;
  tracks: number;
  failures: number;
  readonly rejections: Map<string, number>;
}
