import { readdirSync, readFileSync } from 'node:fs';

/** Linux tells times to programs in hundredths of a second, whatever its own clock is. */
const MS_PER_TICK = 10;

export interface ProcStat {
  readonly id: number;
  readonly name: string;
  readonly parent: number;
  /** User and system time since its start, milliseconds. */
  readonly cpuMs: number;
}

/** What a process and everything that it started has used so far. */
export interface TreeReading {
  readonly cpuMs: number;
  /** Of which the threads of the first process, by their names; without its threads that have ended. */
  readonly threadsMs: ReadonlyMap<string, number>;
  /** Of which its children. */
  readonly childrenMs: number;
  readonly rssMb: number;
}

/** A line of `/proc/PID/stat`. The name stands in parentheses and may hold anything, also parentheses. */
export function parseStat(line: string): ProcStat {
  const end = line.lastIndexOf(')');
  const fields = line.slice(end + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return {
    id: Number.parseInt(line, 10),
    name: line.slice(line.indexOf('(') + 1, end),
    parent: Number(fields[1]),
    cpuMs: ticks * MS_PER_TICK,
  };
}

/** A process with all its descendants, itself first. */
export function treeOf(processes: readonly ProcStat[], root: number): ProcStat[] {
  const tree = processes.filter(({ id }) => id === root);
  for (const { id } of tree) tree.push(...processes.filter(({ parent }) => parent === id));
  return tree;
}

/** @throws {Error} where the process is not there */
export function readTree(root: number): TreeReading {
  const tree = treeOf(
    numbered('/proc').flatMap((pid) => readStat(`/proc/${pid}/stat`)),
    root,
  );
  const [first, ...children] = tree;
  if (first === undefined) throw new Error(`There is no process ${root}`);
  const threadsMs = new Map<string, number>();
  for (const { name, cpuMs } of numbered(`/proc/${root}/task`).flatMap((id) => readStat(`/proc/${root}/task/${id}/stat`))) {
    threadsMs.set(name, (threadsMs.get(name) ?? 0) + cpuMs);
  }
  const childrenMs = sum(children.map(({ cpuMs }) => cpuMs));
  return { cpuMs: first.cpuMs + childrenMs, threadsMs, childrenMs, rssMb: sum(tree.map(({ id }) => residentMb(id))) };
}

/** All that the machine's cores have done so far, milliseconds. */
export function readMachineMs(): number {
  const [, ...fields] = (readFileSync('/proc/stat', 'latin1').split('\n')[0] ?? '').trim().split(/\s+/).map(Number);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
  return (user + nice + system + irq + softirq + steal) * MS_PER_TICK;
}

function numbered(folder: string): string[] {
  return readdirSync(folder).filter((name) => /^\d+$/.test(name));
}

/** Empty for a process that has ended meanwhile. */
function readStat(file: string): ProcStat[] {
  try {
    return [parseStat(readFileSync(file, 'latin1'))];
  } catch {
    return [];
  }
}

function residentMb(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
