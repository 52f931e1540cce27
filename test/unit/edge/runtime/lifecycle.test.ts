import { expect, test } from 'vitest';
import { Lifecycle, type Part } from '../../../../edge/runtime/lifecycle.ts';
import { createLogger } from '../../../../shared/log/create-logger.ts';

const logger = createLogger('test', { level: 'silent' });

function parts(journal: string[], failing: Partial<Record<string, 'start' | 'stop'>> = {}): Part[] {
  return ['a', 'b', 'c'].map((name) => ({
    name,
    start: async () => {
      if (failing[name] === 'start') throw new Error(`${name} does not start`);
      journal.push(`+${name}`);
    },
    stop: async () => {
      journal.push(`-${name}`);
      if (failing[name] === 'stop') throw new Error(`${name} does not stop`);
    },
  }));
}

test('parts start in order and stop in the reverse order', async () => {
  const journal: string[] = [];
  const lifecycle = new Lifecycle(logger);
  await lifecycle.start(parts(journal), new AbortController().signal);
  expect(await lifecycle.stop()).toEqual([]);
  expect(journal).toEqual(['+a', '+b', '+c', '-c', '-b', '-a']);
});

test('a part that does not start takes those before it down', async () => {
  const journal: string[] = [];
  const start = new Lifecycle(logger).start(parts(journal, { b: 'start' }), new AbortController().signal);
  await expect(start).rejects.toThrow('b does not start');
  expect(journal).toEqual(['+a', '-b', '-a']);
});

test('a part that does not stop is named and keeps no other from stopping', async () => {
  const journal: string[] = [];
  const lifecycle = new Lifecycle(logger);
  await lifecycle.start(parts(journal, { b: 'stop' }), new AbortController().signal);
  expect(await lifecycle.stop()).toEqual(['b']);
  expect(journal.slice(3)).toEqual(['-c', '-b', '-a']);
});

test('an aborted start goes no further', async () => {
  const journal: string[] = [];
  const abort = new AbortController();
  abort.abort();
  await expect(new Lifecycle(logger).start(parts(journal), abort.signal)).rejects.toThrow();
  expect(journal).toEqual([]);
});
