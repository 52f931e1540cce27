import { availableParallelism, cpus, totalmem } from 'node:os';
import process from 'node:process';

/** What every figure depends on. */
export function describeMachine(): string[] {
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  return [
    `machine: ${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown kind'}, ${memory} GiB, ${process.platform} ${process.arch}`,
    `versions: Node ${process.versions.node}, V8 ${process.versions.v8}`,
  ];
}
