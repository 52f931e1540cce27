/** What a box with two cores is meant to hold, and what became of it. */
export interface Measured {
  readonly idleCorePct: number;
  readonly busyCorePct: number;
  readonly candidatesP95Ms: number | null;
  readonly queueing: number;
  /** CPU of the pipe for a picture in times of the box's; null without ffmpeg. */
  readonly pipeTimes: { readonly idle: number; readonly busy: number } | null;
}

export interface Target {
  readonly name: string;
  readonly figure: string;
  readonly wanted: string;
  /** Null where it was not measured. */
  readonly held: boolean | null;
}

export function targetsOf({ idleCorePct, busyCorePct, candidatesP95Ms, queueing, pipeTimes }: Measured): Target[] {
  return [
    target('four cameras, nobody in view', idleCorePct, 'below', 70, '% of a core'),
    target('four cameras, people in view', busyCorePct, 'below', 150, '% of a core'),
    target('picture to candidates, p95', candidatesP95Ms, 'below', 400, 'ms'),
    target('detection over its queue', queueing, 'below', 1.3, 'times the bare call'),
    target('CPU of an ffmpeg pipe, nobody in view', pipeTimes?.idle ?? null, 'at least', 2, 'times ours'),
    target('CPU of an ffmpeg pipe, people in view', pipeTimes?.busy ?? null, 'at least', 2, 'times ours'),
  ];
}

function target(name: string, value: number | null, bound: 'below' | 'at least', limit: number, unit: string): Target {
  const wanted = `${bound} ${limit} ${unit}`;
  if (value === null) return { name, figure: 'not measured', wanted, held: null };
  const figure = `${value.toFixed(limit < 10 ? 2 : 0)} ${unit}`;
  return { name, figure, wanted, held: bound === 'below' ? value < limit : value >= limit };
}
