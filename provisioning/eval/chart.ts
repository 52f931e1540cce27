/** Where a chart's area lies in its picture. */
export const CHART = { width: 640, height: 420, left: 64, right: 616, top: 44, bottom: 364 } as const;

export interface Tick {
  /** Place along the axis, 0..1. */
  readonly at: number;
  readonly label: string;
}

export interface Chart {
  readonly title: string;
  readonly across: { readonly label: string; readonly ticks: readonly Tick[] };
  readonly up: { readonly label: string; readonly ticks: readonly Tick[] };
  /** What is drawn in the area, as SVG. */
  readonly marks: readonly string[];
}

/** Place of a share of the axis across, in pixels of the picture. */
export function acrossAt(share: number): number {
  return round(CHART.left + share * (CHART.right - CHART.left));
}

/** Place of a share of the axis up, in pixels of the picture. */
export function upAt(share: number): number {
  return round(CHART.bottom - share * (CHART.bottom - CHART.top));
}

/** A chart as an SVG file. It holds rates and counts, and nothing of a person. */
export function drawChart({ title, across, up, marks }: Chart): string {
  const { width, height, left, right, top, bottom } = CHART;
  const middle = (left + right) / 2;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${middle}" y="24" text-anchor="middle" font-size="15">${title}</text>`,
    ...across.ticks.flatMap(({ at, label }) => [
      `<path d="M${acrossAt(at)} ${top}V${bottom}" stroke="#ddd"/>`,
      `<text x="${acrossAt(at)}" y="${bottom + 18}" text-anchor="middle">${label}</text>`,
    ]),
    ...up.ticks.flatMap(({ at, label }) => [
      `<path d="M${left} ${upAt(at)}H${right}" stroke="#ddd"/>`,
      `<text x="${left - 8}" y="${upAt(at) + 4}" text-anchor="end">${label}</text>`,
    ]),
    ...marks,
    `<path d="M${left} ${top}V${bottom}H${right}" fill="none" stroke="#333"/>`,
    `<text x="${middle}" y="${height - 12}" text-anchor="middle">${across.label}</text>`,
    `<text transform="translate(16 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">${up.label}</text>`,
    '</svg>',
    '',
  ].join('\n');
}

function round(pixels: number): number {
  return Math.round(pixels * 100) / 100;
}
