import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { projectRoot } from '../../models/registry/project-root.ts';

export interface Given {
  /** What it reads from stdin. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * A command of `securegate`, as its user runs it.
 * @returns what it printed
 * @throws {Error} what it said instead
 */
export async function securegate(args: readonly string[], { input = '', env = {} }: Given = {}): Promise<string> {
  const main = join(projectRoot(), 'provisioning', 'main.ts');
  const child = spawn(process.execPath, [main, ...args], { stdio: 'pipe', env: { ...process.env, ...env } });
  // One that ends early does not read it.
  child.stdin.on('error', () => undefined).end(input);
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (child.exitCode !== 0) throw new Error(`securegate ${args.slice(0, 2).join(' ')}: ${error}`);
  return out.trim();
}
