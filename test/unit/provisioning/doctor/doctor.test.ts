import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Finding } from '../../../../provisioning/doctor/finding.ts';

const MAIN = join(import.meta.dirname, '../../../../provisioning/main.ts');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'securegate-doctor-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function doctor(args: string[], env: NodeJS.ProcessEnv = {}): { status: number | null; stdout: string } {
  return spawnSync(process.execPath, [MAIN, 'doctor', ...args], {
    encoding: 'utf8',
    env: { ...process.env, UV_THREADPOOL_SIZE: '128', MALLOC_PERTURB_: '165', ...env },
  });
}

function config(changes: object = {}): string {
  const file = join(folder, 'box.json');
  writeFileSync(file, JSON.stringify({ dataDir: 'data', keyDir: 'keys', tenants: [{ id: 'hall-a', org: 'org-a' }], ...changes }));
  return file;
}

test('finds a complete box well', () => {
  const { status, stdout } = doctor(['--config', config(), '--json']);
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Finding[] };
  expect(findings.filter(({ state }) => state === 'fail')).toEqual([]);
  expect({ ok, status }).toEqual({ ok: true, status: 0 });
  const checks = findings.map(({ check }) => check);
  for (const name of ['onnxruntime-node', 'node-av', 'better-sqlite3', 'sqlite-vec', 'sharp'])
    expect(checks).toContain(`native module ${name}`);
  for (const check of ['Node', 'inference', 'model ultraface-320', 'configuration', 'keys apart', 'key of hall-a', 'leases'])
    expect(checks).toContain(check);
});

test('names missing models, in words, and ends with 1', () => {
  const { status, stdout } = doctor([], { SECUREGATE_MODELS_DIR: join(folder, 'none') });
  expect(stdout).toMatch(/^FAIL {2}models .*\n.*securegate models pull$/m);
  expect(stdout).toMatch(/, 1 failed\n$/);
  expect(status).toBe(1);
});

test('names what is wrong with a configuration', () => {
  const { status, stdout } = doctor(['--config', config({ cameras: [{ id: 'c1', tenant: 'nobody', url: 'rtsp://x' }] })]);
  expect(stdout).toMatch(/^FAIL {2}configuration[\s\S]*no such tenant/m);
  expect(status).toBe(1);
});

test('names a native module that does not load', () => {
  // A loader hook stands in for an addon that was not installed: it reaches the probe's process through NODE_OPTIONS.
  const hook = join(folder, 'hook.mjs');
  writeFileSync(
    hook,
    `import { registerHooks } from 'node:module';
     registerHooks({ resolve(name, context, next) { if (name === 'sqlite-vec') throw new Error('no such package here'); return next(name, context); } });`,
  );
  const { status, stdout } = doctor([], { NODE_OPTIONS: `--import ${hook}` });
  expect(stdout).toMatch(/^FAIL {2}native module sqlite-vec .*no such package here$/m);
  expect(stdout).toMatch(/^ok {4}native module sharp/m);
  expect(status).toBe(1);
});
