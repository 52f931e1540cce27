import { readFileSync } from 'node:fs';
import { childrenOf } from './find-vault.ts';

/** CPU time so far, in the kernel's ticks: of the whole machine, and of this process with all that it started. */
export interface CpuUse {
  readonly all: number;
  readonly busy: number;
  readonly own: number;
}

export async function cpuUse(): Promise<CpuUse> {
  const [cpu = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, softIrq = 0, stolen = 0] = cpu.split(/\s+/).slice(1).map(Number);
  const busy = user + nice + system + irq + softIrq + stolen;
  return { all: busy + idle + waiting, busy, own: await ticksOf(process.pid) };
}

/** Share of the machine that other programs took in between. */
export function foreignShare(before: CpuUse, after: CpuUse): number {
  return Math.max(0, after.busy - before.busy - (after.own - before.own)) / Math.max(1, after.all - before.all);
}

/** What has ended counts with its parent. */
async function ticksOf(pid: number): Promise<number> {
  const children = await Promise.all((await childrenOf(pid)).map(ticksOf));
  return ownTicks(pid) + children.reduce((sum, ticks) => sum + ticks, 0);
}

function ownTicks(pid: number): number {
  try {
    // The name in brackets may hold spaces; user and system time, own and of ended children, are fields 14 to 17.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  } catch {
    return 0;
  }
}
