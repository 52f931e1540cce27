import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { TestFleet } from './fleet.ts';

const MAIN = fileURLToPath(new URL('../../provisioning/main.ts', import.meta.url));

/** Enrols the box of a configuration, as a technician does. @returns its id */
export async function enrolByCommand(fleet: TestFleet, config: string): Promise<string> {
  const child = spawn(process.execPath, [MAIN, 'enrol', '--cloud', fleet.url, '--token', '-', '--config', config, '--json'], {
    stdio: 'pipe',
  });
  child.stdin.end(await fleet.token());
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(child.exitCode, error).toBe(0);
  return (JSON.parse(out) as { device: string }).device;
}
