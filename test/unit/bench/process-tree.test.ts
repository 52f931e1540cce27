import { fork } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { parseStat, readMachineMs, readTree, treeOf } from '../../bench/box/process-tree.ts';

const line = (id: number, name: string, parent: number, user: number, system: number): string =>
  `${id} (${name}) S ${parent} 1 1 0 -1 4194560 900 0 3 0 ${user} ${system} 7 9 20 0 12 0 5000 1000000 250`;

test('user and system time count, the times of ended children do not', () => {
  expect(parseStat(line(42, 'node', 7, 150, 25))).toEqual({ id: 42, name: 'node', parent: 7, cpuMs: 1750 });
});

test('a name may hold spaces and parentheses', () => {
  expect(parseStat(line(42, 'a) S 1 (b', 7, 1, 2))).toEqual({ id: 42, name: 'a) S 1 (b', parent: 7, cpuMs: 30 });
});

test('a tree is a process with its children and theirs, and nobody else', () => {
  const processes = [line(5, 'grandchild', 3, 0, 0), line(2, 'root', 1, 0, 0), line(3, 'child', 2, 0, 0), line(4, 'stranger', 1, 0, 0)];
  expect(treeOf(processes.map(parseStat), 2).map(({ id }) => id)).toEqual([2, 3, 5]);
  expect(treeOf(processes.map(parseStat), 99)).toEqual([]);
});

test('the work of a child counts, by itself and in the whole', async () => {
  const child = fork('-', {
    execArgv: ['-e', 'while (process.cpuUsage().user < 300_000); process.send("done"); process.stdin.resume()'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const machineBefore = readMachineMs();
  await once(child, 'message');
  const after = readTree(process.pid);
  const own = process.cpuUsage();
  expect(after.childrenMs).toBeGreaterThan(250);
  expect(after.cpuMs - after.childrenMs).toBeGreaterThan((own.user + own.system) / 1000 - 500);
  expect(after.rssMb).toBeGreaterThan(process.memoryUsage.rss() / 2 ** 20);
  expect(readMachineMs()).toBeGreaterThan(machineBefore);
});

test('a process that is not there is an error', () => {
  expect(() => readTree(2 ** 30)).toThrow('There is no process');
});
