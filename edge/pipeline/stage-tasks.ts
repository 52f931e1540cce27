import type { RgbImage } from '../inference/image.ts';
import type { ModelFile } from '../inference/load-model.ts';
import type { ExecutionProvider } from '../inference/model-session.ts';
import type { Region } from '../inference/resize.ts';
import type { TileGrid } from './detect/tile-regions.ts';
import type { Detection, FaceShot } from './frame.ts';

/** What an inference thread is started with. */
export interface StageSetup {
  readonly models: {
    readonly detector: ModelFile;
    /** Null where the detector finds the five points itself. */
    readonly landmarks: ModelFile | null;
    readonly embedder: ModelFile;
  };
  readonly provider: 'auto' | ExecutionProvider;
}

/** What an inference thread says when it is ready. */
export interface StageInfo {
  readonly provider: ExecutionProvider;
  /** Why a better provider is not used; null when the wanted one is. */
  readonly fallbackReason: string | null;
}

/** What a face is looked at for. Recognising takes what a camera gives, a still picture is looked at more closely; enrolling is strict. */
export type Purpose = 'recognise' | StillPurpose;
export type StillPurpose = 'search' | 'enrol';

/** The work that an inference thread does, with its answer. Pictures travel as shared memory where they are. */
export interface StageTasks {
  detect: { request: { image: RgbImage; tiles: TileGrid | undefined }; result: Detection[] };
  detectIn: { request: { image: RgbImage; parts: readonly Region[] }; result: Detection[] };
  detectStill: { request: { image: RgbImage }; result: Detection[] };
  analyse: { request: { image: RgbImage; detections: readonly Detection[]; purpose: Purpose }; result: FaceShot[] };
  embed: { request: { aligned: readonly RgbImage[] }; result: Float32Array[] };
}

export type StageRequest = { [Name in keyof StageTasks]: { readonly task: Name } & StageTasks[Name]['request'] }[keyof StageTasks];
