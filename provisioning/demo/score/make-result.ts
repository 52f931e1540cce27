import type { Stats } from '../../../shared/messages/events.ts';
import type { Findings } from '../scan/scan-folder.ts';
import type { Score } from './score-sightings.ts';

/** What `demo --once --json` prints. */
export interface DemoResult {
  readonly cameras: number;
  readonly frames: number;
  readonly tracks: number;
  readonly expected: number;
  readonly recognised: number;
  readonly wrong: number;
  readonly unknown: number;
  readonly crossTenant: number;
  readonly latencyMs: { readonly p50: number; readonly p95: number };
  readonly eventLoopMs: { readonly p99: number };
  /** Frames processed a second, all cameras together. */
  readonly fps: number;
  readonly skipped: number;
  /** Files that held something in the clear, while running or afterwards. */
  readonly plaintextOnDisk: number;
}

const WANTED_SHARE = 0.95;

export function makeResult(run: { stats: Stats; score: Score; foreignCandidates: number; leaks: readonly Findings[] }): DemoResult {
  const { stats, score, foreignCandidates, leaks } = run;
  const sum = (field: 'frames' | 'tracks' | 'fps' | 'skipped'): number => stats.cameras.reduce((total, camera) => total + camera[field], 0);
  return {
    cameras: stats.cameras.length,
    frames: sum('frames'),
    tracks: sum('tracks'),
    expected: score.expected,
    recognised: score.recognised,
    wrong: score.wrong,
    unknown: score.unknown,
    crossTenant: score.crossTenant + foreignCandidates,
    latencyMs: { p50: rounded(stats.latencyMs.p50), p95: rounded(stats.latencyMs.p95) },
    eventLoopMs: { p99: rounded(stats.eventLoopMs.p99) },
    fps: rounded(sum('fps')),
    skipped: sum('skipped'),
    plaintextOnDisk: new Set(leaks.flatMap((findings) => Array.from(findings.keys()))).size,
  };
}

/** Whether the product kept its promises: nobody mistaken, nothing crossed over or lay in the clear, and almost everybody recognised. */
export function isGood({ wrong, crossTenant, plaintextOnDisk, recognised, expected }: DemoResult): boolean {
  return wrong === 0 && crossTenant === 0 && plaintextOnDisk === 0 && recognised >= WANTED_SHARE * expected;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
