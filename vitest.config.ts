import { defineConfig } from 'vitest/config';

/** The product under its own load, judged by the pictures that it skips: what else runs at the same time would count as its slowness. */
const ALONE = ['demo', 'demo-with-cloud', 'drill', 'live-grid', 'stalled-consumers'].map((name) => `test/e2e/${name}.test.ts`);

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        // Much of it is waited for: brokers that come back, cameras, processes that start.
        test: { name: 'parts', include: ['test/{unit,integration,attack}/**/*.test.ts'], maxWorkers: 4, sequence: { groupOrder: 0 } },
      },
      { extends: true, test: { name: 'whole', include: ['test/e2e/**/*.test.ts'], exclude: ALONE, sequence: { groupOrder: 1 } } },
      { extends: true, test: { name: 'alone', include: ALONE, fileParallelism: false, sequence: { groupOrder: 2 } } },
    ],
    globalSetup: 'test/helpers/global-setup.ts',
    setupFiles: 'test/helpers/secrecy/hear-processes.ts',
    // Native addons are not all safe in several threads of one process, and a crash must not take other files with it.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // What is waited for comes late on a busy machine; vitest's own second is for a machine that does nothing else.
    expect: { poll: { timeout: 30_000 } },
    // .ci/run reads the counts from the report.
    reporters: ['default', 'json'],
    outputFile: { json: '.ci/report.json' },
  },
});
