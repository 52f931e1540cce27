import { parseConfig } from '../../../edge/config/load-config.ts';
import { fitImage, fittedSize } from '../../../edge/inference/fit-image.ts';
import type { RgbImage } from '../../../edge/inference/image.ts';
import { packImages } from '../../../edge/inference/pack-images.ts';
import { resize } from '../../../edge/inference/resize.ts';
import { openStages as openEngine } from '../../../edge/open-stages.ts';
import { frameSize } from '../../../edge/pipeline/decode/frame-size.ts';
import { RgbConverter } from '../../../edge/pipeline/decode/rgb-converter.ts';
import type { Detection } from '../../../edge/pipeline/frame.ts';
import { MotionGate } from '../../../edge/pipeline/motion/motion-gate.ts';
import { createLogger } from '../../../shared/log/create-logger.ts';
import { embeddedModels } from '../../helpers/embedded-models.ts';
import { openStages } from '../../helpers/open-stages.ts';
import { FilmDecoder } from './film-decoder.ts';
import { medianOf } from './median-of.ts';

/** Milliseconds of a stage and, of these, of the model itself. Without a model all of it is the stage's own. */
export interface StageFigures {
  readonly p50Ms: number;
  readonly runMs: number;
}

export interface StagesMeasured {
  readonly stages: Readonly<Record<string, StageFigures>>;
  /** Detection on an inference thread, over its queue, in times of the same on this thread. */
  readonly queueing: number;
  readonly modelLoadMs: number;
}

/** As a camera gives it. */
type FrameImage = RgbImage & { readonly reduced: RgbImage };

/** Each stage alone, one picture or face at a time. */
export async function measureStages(pictures: readonly RgbImage[], film: string): Promise<StagesMeasured> {
  const [first] = pictures;
  if (first === undefined) throw new Error('There is no picture');
  const picture = await withReduced(first);
  return { stages: { ...(await decoding(film, picture)), ...(await looking(picture)) }, ...(await queueing(picture)) };
}

async function withReduced(picture: RgbImage): Promise<FrameImage> {
  const { input } = (await embeddedModels()).detector.entry;
  const { width, height } = fittedSize(picture, input, input);
  const data = Buffer.from(new SharedArrayBuffer(width * height * 3));
  data.set(resize(picture, width, height).data);
  return { ...picture, reduced: { width, height, data } };
}

async function decoding(film: string, picture: FrameImage): Promise<Record<string, StageFigures>> {
  const decoder = await FilmDecoder.open(film);
  const converter = new RgbConverter();
  const reducer = new RgbConverter();
  const into = Buffer.alloc(picture.data.length);
  const gate = new MotionGate();
  gate.looked({ ...picture.reduced, mediaMs: 0 });
  await decoder.next();
  const {
    convert,
    reduce,
    gate: gated,
  } = await medianOf({
    convert: () => converter.convert(decoder.picture, frameSize(decoder.picture), into),
    reduce: () => reducer.convert(decoder.picture, picture.reduced, into),
    gate: () => gate.passes({ ...picture.reduced, mediaMs: 1 }),
  });
  const { decode } = await medianOf({ decode: () => decoder.next() });
  converter.close();
  reducer.close();
  return { decode: own(decode), convert: own(convert), reduce: own(reduce), gate: own(gated) };
}

async function looking(picture: RgbImage): Promise<Record<string, StageFigures>> {
  const { sessions, detector, analyser, embedder, close } = await openStages();
  try {
    const detections = await detector.detect(picture);
    const face = detections[0] as Detection;
    const { aligned } = await analyser.analyse(picture, face);
    const { input } = sessions.detector.model;
    const whole = { x: 0, y: 0, width: picture.width, height: picture.height };
    const packed = packImages([fitImage(picture, whole, input, input).image], input);
    const points = new Float32Array(sessions.landmarks.model.input.width * sessions.landmarks.model.input.height);
    const packedFace = packImages([aligned], sessions.embedder.model.input);
    const ms = await medianOf({
      detect: () => detector.detect(picture),
      detectRun: () => sessions.detector.run(packed, 1),
      analyse: () => analyser.analyse(picture, face),
      analyseRun: () => sessions.landmarks.run(points, 1),
      embed: () => embedder.embed([aligned]),
      embedRun: () => sessions.embedder.run(packedFace, 1),
    });
    return {
      detect: { p50Ms: ms.detect, runMs: ms.detectRun },
      analyse: { p50Ms: ms.analyse, runMs: ms.analyseRun },
      embed: { p50Ms: ms.embed, runMs: ms.embedRun },
    };
  } finally {
    await close();
  }
}

async function queueing(picture: RgbImage): Promise<Pick<StagesMeasured, 'queueing' | 'modelLoadMs'>> {
  const bare = await openStages();
  const config = parseConfig({ dataDir: '-', keyDir: '-', tenants: [{ id: 'bench', org: 'bench' }], inference: { workers: 1 } });
  const startedAt = performance.now();
  const { stages } = await openEngine(config, createLogger('bench', { level: 'warn' }));
  const modelLoadMs = performance.now() - startedAt;
  try {
    const ms = await medianOf({ bare: () => bare.detector.detect(picture), queued: () => stages.detect(picture) });
    return { queueing: ms.queued / ms.bare, modelLoadMs };
  } finally {
    await stages.stop();
    await bare.close();
  }
}

function own(p50Ms: number): StageFigures {
  return { p50Ms, runMs: 0 };
}
