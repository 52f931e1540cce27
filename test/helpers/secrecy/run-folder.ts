import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const VARIABLE = 'SECUREGATE_TEST_RUN';

/** Names of files in it: what was said, and the secrets that must not have been. Each process has its own, so that none waits for another. */
export const SAID = /^said-.*\.log$/;
export const SECRETS = /^secrets-.*\.jsonl$/;

/** The folder of a run of the tests; undefined where something else than the tests runs, as a bench. */
export function runFolder(): string | undefined {
  return process.env[VARIABLE];
}

/** Makes the folder, which every process that starts from now on inherits. */
export function makeRunFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'securegate-run-'));
  process.env[VARIABLE] = folder;
  return folder;
}

/** The file of this process for what was said. */
export function saidFile(folder: string): string {
  return join(folder, `said-${process.pid}.log`);
}

/** The file of this process for secrets. */
export function secretsFile(folder: string): string {
  return join(folder, `secrets-${process.pid}.jsonl`);
}
