import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { startDemo } from '../helpers/start-demo.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

test('keeps every promise over a whole run and leaves nothing behind', { timeout: 240_000 }, async () => {
  const folder = await tempFolder();
  const demo = startDemo(folder, '--once', '--json');
  const [stdout, stderr, [code]] = await Promise.all([text(demo.stdout), text(demo.stderr), once(demo, 'exit')]);
  expect(stdout.trimEnd().split('\n'), stderr).toHaveLength(1);
  const result = JSON.parse(stdout);
  expect(result, stderr).toMatchObject({ cameras: 4, wrong: 0, crossTenant: 0, plaintextOnDisk: 0 });
  expect(result.expected).toBeGreaterThanOrEqual(12);
  expect(result.recognised).toBeGreaterThanOrEqual(0.95 * result.expected);
  expect(result.unknown).toBeGreaterThanOrEqual(6);
  expect(result.tracks).toBeGreaterThanOrEqual(result.expected);
  // 32 seconds of four cameras at five pictures a second; on a busy machine some are skipped, and then counted as such.
  expect(result.frames + result.skipped).toBeGreaterThanOrEqual(4 * 32 * 5 * 0.9);
  expect(result.latencyMs.p50).toBeGreaterThan(0);
  expect(result.latencyMs.p95).toBeGreaterThanOrEqual(result.latencyMs.p50);
  expect(result.eventLoopMs.p99).toBeLessThan(50);
  expect(code, stderr).toBe(0);
  expect(await readdir(folder)).toEqual([]);
});

test('shows sightings as they happen until it is interrupted, and leaves nothing behind', { timeout: 120_000 }, async () => {
  const folder = await tempFolder();
  const demo = startDemo(folder);
  const errors = text(demo.stderr);
  const lines: string[] = [];
  const exit = once(demo, 'exit');
  for await (const line of createInterface(demo.stdout)) {
    // Once: a second one would mean "at once".
    if (line.includes('(similarity') && !lines.some((earlier) => earlier.includes('(similarity'))) demo.kill('SIGINT');
    lines.push(line);
  }
  const stderr = await errors;
  expect(await exit, stderr).toEqual([0, null]);
  const guests = lines.filter((line) => line.includes(' knows ')).join();
  const [, name = 'nobody'] = /\d\d:\d\d:\d\d +\S+ +(\S+ \S+) \(similarity/.exec(lines.join('\n')) ?? [];
  expect(guests, lines.join('\n')).toContain(name);
  expect(await readdir(folder)).toEqual([]);
});
