import { acrossAt, drawChart, upAt } from './chart.ts';
import type { PairScores } from './compare-pairs.ts';
import { pointAt } from './measure-accuracy.ts';

/** False accept rates on the logarithmic axis: 10^-5 to 1. */
const DECADES = 5;
const POINTS_A_DECADE = 40;

/** The receiver operating characteristic (ISO/IEC 19795-1) as SVG: true accept rate by false accept rate. */
export function drawRoc({ genuine, impostor }: PairScores): string {
  const points = Array.from({ length: DECADES * POINTS_A_DECADE + 1 }, (_, index) => {
    const share = index / (DECADES * POINTS_A_DECADE);
    const { tar } = pointAt(genuine, impostor, 10 ** ((share - 1) * DECADES));
    return `${acrossAt(share)} ${upAt(tar)}`;
  });
  return drawChart({
    title: 'True accepts by false accepts',
    across: {
      label: 'false accept rate',
      ticks: Array.from({ length: DECADES + 1 }, (_, decade) => ({
        at: decade / DECADES,
        label: decade === DECADES ? '1' : `1e-${DECADES - decade}`,
      })),
    },
    up: { label: 'true accept rate', ticks: [0, 0.2, 0.4, 0.6, 0.8, 1].map((at) => ({ at, label: `${Math.round(at * 100)} %` })) },
    marks: [`<path d="M${points.join('L')}" fill="none" stroke="#0a58ca" stroke-width="2"/>`],
  });
}
