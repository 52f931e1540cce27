import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';

const FOLDER = process.env.SECUREGATE_TEST_VECTORS ?? resolve(import.meta.dirname, '../../../shared/vectors');

/** Whether a file of test vectors is there; tests that need one skip without it. */
export function hasVectors(file: string): boolean {
  return existsSync(join(FOLDER, file));
}

const wycheproofSchema = z.object({
  testGroups: z.array(
    z.looseObject({ tests: z.array(z.looseObject({ tcId: z.number(), result: z.enum(['valid', 'acceptable', 'invalid']) })) }),
  ),
});

/** Test groups of a Wycheproof file (github.com/C2SP/wycheproof), each test checked against `test`. */
export function wycheproofTests<Group extends z.ZodType, Test extends z.ZodType>(
  file: string,
  schemas: { group: Group; test: Test },
): { group: z.output<Group>; test: z.output<Test>; id: number; valid: boolean }[] {
  const { testGroups } = wycheproofSchema.parse(JSON.parse(readFileSync(join(FOLDER, file), 'utf8')));
  return testGroups.flatMap((group) =>
    group.tests.map((test) => ({
      group: schemas.group.parse(group),
      test: schemas.test.parse(test),
      id: test.tcId,
      valid: test.result === 'valid',
    })),
  );
}
