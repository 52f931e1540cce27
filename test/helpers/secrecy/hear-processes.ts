import { ChildProcess } from 'node:child_process';
import { appendFileSync, closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { runFolder, saidFile } from './run-folder.ts';

/** Commands whose result is a secret: it stands on their standard output, for whoever asked. */
const TELL_SECRETS = [
  ['cloud', 'token'],
  ['admin-token', 'reset'],
];

/** What a process is started with, as `spawn`, `fork` and `execFile` hand it on. */
interface SpawnOptions {
  readonly args?: readonly string[];
  stdio?: string | unknown[];
}

const prototype = ChildProcess.prototype as unknown as { spawn(options: SpawnOptions): unknown };
const spawn = prototype.spawn;

/**
 * From now on, what a process says that this one starts is written down as well: before a test sees it, and where no test does.
 * What it inherits goes by the standard error of this process, which vitest hands on to the one that searches.
 */
prototype.spawn = function (this: ChildProcess, options: SpawnOptions): unknown {
  const folder = runFolder();
  if (folder === undefined) return spawn.call(this, options);
  const file = saidFile(folder);
  const tells = TELL_SECRETS.some((words) => words.every((word) => options.args?.includes(word)));
  const fd = openSync(file, 'a', 0o600);
  try {
    const { stdio = 'pipe' } = options;
    const each = typeof stdio === 'string' ? [stdio, stdio, stdio] : [...stdio];
    options.stdio = each.map((one, at) => (one === 'ignore' && (at === 2 || (at === 1 && !tells)) ? fd : one));
    const result = spawn.call(this, options);
    if (!tells) hear(this.stdout, file);
    hear(this.stderr, file);
    return result;
  } finally {
    closeSync(fd);
  }
};

/** A listener would make the stream flow before the test listens, which would miss what was said until then. */
function hear(stream: Readable | null | undefined, file: string): void {
  if (!stream) return;
  const push = stream.push.bind(stream);
  stream.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (chunk instanceof Uint8Array) appendFileSync(file, chunk);
    return push(chunk, encoding);
  };
}
