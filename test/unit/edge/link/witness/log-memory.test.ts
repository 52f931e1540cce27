import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Evidence, LogMemory } from '../../../../../edge/link/witness/log-memory.ts';
import type { ErrorCode } from '../../../../../shared/errors/codes.ts';
import { tempFolder } from '../../../../helpers/temp-folder.ts';

const lie = (reason: ErrorCode, number: number): Evidence => ({
  at: new Date(number).toISOString(),
  reason,
  kept: 'kept',
  offered: { head: `head ${number}` },
});

test('lies without end neither fill the disk nor leave no room for evidence of another kind', async () => {
  const folder = await tempFolder();
  const file = join(folder, 'log-evidence.jsonl');
  const memory = new LogMemory(join(folder, 'log.json'), file);
  const taken = Array.from({ length: 500 }, (_, number) => memory.accuse(lie('log_head_rejected', number))).filter(Boolean).length;
  expect(taken).toBeLessThanOrEqual(100);
  expect(memory.accuse(lie('log_head_rejected', 0)), 'what is known is not new').toBe(false);
  expect(memory.accuse(lie('log_forked', 1))).toBe(true);
  expect(memory.accusations()).toEqual(['log_head_rejected', 'log_forked']);
  expect((await readFile(file, 'utf8')).split('\n').filter(Boolean)).toHaveLength(taken + 1);
});

test('evidence that cannot be read is a reason to look as well, and nothing is written over it', async () => {
  const folder = await tempFolder();
  const file = join(folder, 'log-evidence.jsonl');
  await writeFile(file, '{"at":');
  const memory = new LogMemory(join(folder, 'log.json'), file);
  expect(memory.accusations()).toEqual(['storage_failed']);
  expect(() => memory.accuse(lie('log_forked', 1))).toThrow(expect.objectContaining({ code: 'storage_failed' }));
  expect(await readFile(file, 'utf8')).toBe('{"at":');
});
