import { acrossAt, drawChart, upAt } from './chart.ts';
import type { PairScores } from './compare-pairs.ts';
import { type ScoreCounts, stepOf } from './score-counts.ts';

/** Shown are similarities from -0.4 to 1, which is where faces lie. */
const LOWEST = -0.4;
const BARS = 70;

/** How pairs of one person and of different people spread over the similarities, each as shares of their kind, as SVG. */
export function drawScores({ genuine, impostor }: PairScores): string {
  const shares = { genuine: sharesOf(genuine), impostor: sharesOf(impostor) };
  const highest = Math.max(...shares.genuine, ...shares.impostor);
  const area = (values: readonly number[], colour: string): string => {
    const tops = values.map((value, bar) => `V${upAt(value / highest)}H${acrossAt((bar + 1) / BARS)}`);
    return `<path d="M${acrossAt(0)} ${upAt(0)}${tops.join('')}V${upAt(0)}Z" fill="${colour}" fill-opacity="0.45" stroke="${colour}"/>`;
  };
  return drawChart({
    title: 'Similarity of pairs: different people (orange), one person (blue)',
    across: {
      label: 'cosine similarity',
      ticks: [-0.4, -0.2, 0, 0.2, 0.4, 0.6, 0.8, 1].map((score) => ({ at: (score - LOWEST) / (1 - LOWEST), label: String(score) })),
    },
    up: {
      label: 'share of the pairs of its kind',
      ticks: [0, 0.5, 1].map((at) => ({ at, label: `${(at * highest * 100).toFixed(1)} %` })),
    },
    marks: [area(shares.impostor, '#d9480f'), area(shares.genuine, '#0a58ca')],
  });
}

/** Shares of the pairs from bar to bar; what lies lower is in the lowest bar. */
function sharesOf(scores: ScoreCounts): number[] {
  const from = Array.from({ length: BARS }, (_, bar) => (bar === 0 ? 1 : scores.shareFrom(stepOf(LOWEST + (bar / BARS) * (1 - LOWEST)))));
  return from.map((share, bar) => share - (from[bar + 1] ?? 0));
}
