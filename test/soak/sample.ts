import { readdir, readFile } from 'node:fs/promises';
import { childrenOf } from '../../provisioning/drills/harness/find-vault.ts';
import type { Stats } from '../../shared/messages/events.ts';

/** What the box takes at one moment, daemon and vaults together where nothing else is said. */
export interface Sample {
  readonly seconds: number;
  readonly daemonMb: number;
  readonly vaultsMb: number;
  /** Of the daemon alone, as JavaScript sees it. */
  readonly heapMb: number;
  readonly externalMb: number;
  readonly handles: number;
  readonly descriptors: number;
  readonly threads: number;
  /** Of all cameras, since the start. */
  readonly frames: number;
  readonly skipped: number;
}

/** @param insides file of `tell-insides.ts` */
export async function takeSample(daemon: number, insides: string, stats: Stats): Promise<Sample> {
  const vaults = await childrenOf(daemon);
  const [own, ...others] = await Promise.all([daemon, ...vaults].map(lookAt));
  if (own === undefined) throw new Error('The daemon is gone');
  const all = [own, ...others];
  const { heapMb, externalMb, handles } = JSON.parse(await readFile(insides, 'utf8'));
  const sum = (field: 'frames' | 'skipped'): number => stats.cameras.reduce((total, camera) => total + camera[field], 0);
  return {
    seconds: stats.uptimeMs / 1000,
    daemonMb: own.mb,
    vaultsMb: others.reduce((total, { mb }) => total + mb, 0),
    heapMb,
    externalMb,
    handles,
    descriptors: all.reduce((total, { descriptors }) => total + descriptors, 0),
    threads: all.reduce((total, { threads }) => total + threads, 0),
    frames: sum('frames'),
    skipped: sum('skipped'),
  };
}

async function lookAt(pid: number): Promise<{ mb: number; descriptors: number; threads: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const figure = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return { mb: figure('VmRSS') / 1024, threads: figure('Threads'), descriptors: (await readdir(`/proc/${pid}/fd`)).length };
}
