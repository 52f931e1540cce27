import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/helpers/global-setup.ts',
    // Native addons are not all safe in several threads of one process, and a crash must not take other files with it.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // .ci/run reads the counts from the report.
    reporters: ['default', 'json'],
    outputFile: { json: '.ci/report.json' },
  },
});
