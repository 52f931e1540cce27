import type { Stats } from '../../../shared/messages/events.ts';
import { TENANTS } from '../footage/script.ts';
import { type Findings, filesOf } from '../scan/scan-folder.ts';
import type { Score } from './score-sightings.ts';

/** What became of a cloud beside the box. */
export interface CloudResult {
  readonly hsm: 'SoftHSM2' | 'software';
  /** From the token to the box's own certificate. */
  readonly enrolledMs: number;
  /** From the start of the box until both tenants were open under leases. */
  readonly leasedMs: number;
  /** Sightings that were over, as the box saw them and as the cloud counted them. */
  readonly sightingsOnBox: number;
  readonly sightingsInCloud: number;
  /** Cameras of which the cloud counted others than the box saw. */
  readonly miscounted: number;
  /** Files of control plane, KMS and broker that hold anything by which a guest is known, while running or afterwards. */
  readonly namesInCloud: number;
  /** Commands that the box has signed to have done. */
  readonly commandsDone: number;
}

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
  /** Of a run with a cloud. */
  readonly cloud?: CloudResult;
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
    plaintextOnDisk: filesOf(leaks).size,
  };
}

/** Whether the product kept its promises: nobody mistaken, nothing crossed over or lay in the clear, and almost everybody recognised. */
export function isGood({ wrong, crossTenant, plaintextOnDisk, recognised, expected, cloud }: DemoResult): boolean {
  const kept = wrong === 0 && crossTenant === 0 && plaintextOnDisk === 0 && recognised >= WANTED_SHARE * expected;
  return kept && (cloud === undefined || isGoodCloud(cloud));
}

/** It counted everybody once, and never heard of whom. */
function isGoodCloud({ sightingsOnBox, sightingsInCloud, miscounted, namesInCloud, commandsDone }: CloudResult): boolean {
  return sightingsOnBox === sightingsInCloud && miscounted === 0 && namesInCloud === 0 && commandsDone === TENANTS.length;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
