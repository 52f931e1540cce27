import type { Sample } from './sample.ts';

const WIDTH = 900;
const PANEL = 130;
const LEFT = 70;
const TOP = 30;
const COLOURS = ['#1f77b4', '#d62728', '#2ca02c', '#9467bd'];

interface Line {
  readonly name: string;
  readonly of: (sample: Sample) => number;
}

const PANELS: readonly { readonly title: string; readonly lines: readonly Line[] }[] = [
  {
    title: 'resident memory, MB',
    lines: [
      { name: 'daemon', of: ({ daemonMb }) => daemonMb },
      { name: 'vaults', of: ({ vaultsMb }) => vaultsMb },
    ],
  },
  {
    title: 'memory of JavaScript, MB',
    lines: [
      { name: 'heap', of: ({ heapMb }) => heapMb },
      { name: 'external', of: ({ externalMb }) => externalMb },
    ],
  },
  {
    title: 'counted',
    lines: [
      { name: 'descriptors', of: ({ descriptors }) => descriptors },
      { name: 'threads', of: ({ threads }) => threads },
      { name: 'handles', of: ({ handles }) => handles },
    ],
  },
  { title: 'frames skipped since the start', lines: [{ name: 'skipped', of: ({ skipped }) => skipped }] },
];

/** The figures of a run over its time, as SVG: a panel for each kind, each from 0. */
export function drawChart(samples: readonly Sample[]): string {
  const height = TOP + PANELS.length * (PANEL + TOP) + 20;
  const lasted = samples.at(-1)?.seconds ?? 1;
  const panels = PANELS.map(({ title, lines }, index) => {
    const most = Math.max(1, ...lines.flatMap(({ of }) => samples.map(of)));
    const bottom = TOP + index * (PANEL + TOP) + PANEL;
    const legend = lines.map(({ name }, line) => `<tspan dx="12" fill="${COLOURS[line]}">${name}</tspan>`).join('');
    const drawn = lines.map(({ of }, line) => {
      const points = samples.map((sample) => {
        const x = LEFT + (sample.seconds / lasted) * (WIDTH - LEFT - 20);
        return `${x.toFixed(1)},${(bottom - (of(sample) / most) * PANEL).toFixed(1)}`;
      });
      return `<polyline fill="none" stroke="${COLOURS[line]}" stroke-width="1.5" points="${points.join(' ')}"/>`;
    });
    return [
      `<text x="${LEFT}" y="${bottom - PANEL - 8}">${title}${legend}</text>`,
      `<text x="${LEFT - 8}" y="${bottom - PANEL + 10}" text-anchor="end">${most.toFixed(0)}</text>`,
      `<text x="${LEFT - 8}" y="${bottom}" text-anchor="end">0</text>`,
      `<path d="M${LEFT} ${bottom - PANEL}V${bottom}H${WIDTH - 20}" fill="none" stroke="#999"/>`,
      ...drawn,
    ].join('\n');
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...panels,
    `<text x="${WIDTH - 20}" y="${height - 10}" text-anchor="end">${(lasted / 60).toFixed(1)} minutes</text>`,
    '</svg>\n',
  ].join('\n');
}
