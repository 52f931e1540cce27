import { Histogram, type HistogramValues } from '../runtime/histogram.ts';

/** How long the pipelines of all cameras wait for each stage: for their turn and for the work itself. */
export class StageTimes {
  /** A whole frame. */
  readonly detect = new Histogram();
  /** The faces of a frame together. */
  readonly analyse = new Histogram();
  /** One face. */
  readonly embed = new Histogram();
  /** The faces of a vote together. */
  readonly search = new Histogram();
  /** From arrival of a frame to the end of its processing. */
  readonly frame = new Histogram();
  /** From arrival of the frame that completes a vote to the gallery's candidates. */
  readonly candidates = new Histogram();

  values(): Readonly<Record<'detect' | 'analyse' | 'embed' | 'search' | 'frame' | 'candidates', HistogramValues>> {
    const { detect, analyse, embed, search, frame, candidates } = this;
    return {
      detect: detect.values(),
      analyse: analyse.values(),
      embed: embed.values(),
      search: search.values(),
      frame: frame.values(),
      candidates: candidates.values(),
    };
  }
}
