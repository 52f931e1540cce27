import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'parts', include: ['test/{unit,integration,attack}/**/*.test.ts'], sequence: { groupOrder: 0 } } },
      {
        extends: true,
        // The product as a whole, under its own load: what else runs at the same time would count as the product's slowness.
        test: { name: 'whole', include: ['test/e2e/**/*.test.ts'], fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
    globalSetup: 'test/helpers/global-setup.ts',
    setupFiles: 'test/helpers/secrecy/hear-processes.ts',
    // Native addons are not all safe in several threads of one process, and a crash must not take other files with it.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What is waited for comes late on a busy machine; vitest's own second is for a machine that does nothing else.
    expect: { poll: { timeout: 10_000 } },
    // .ci/run reads the counts from the report.
    reporters: ['default', 'json'],
    outputFile: { json: '.ci/report.json' },
  },
});
