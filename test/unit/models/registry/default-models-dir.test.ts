import { join } from 'node:path';
import { expect, test } from 'vitest';
import { defaultModelsDir } from '../../../../models/registry/default-models-dir.ts';
import { projectRoot } from '../../../../models/registry/project-root.ts';

test('a checkout keeps its models beside itself', () => {
  expect(defaultModelsDir({})).toBe(join(projectRoot(), '.cache', 'models'));
});

test('SECUREGATE_MODELS_DIR decides', () => {
  expect(defaultModelsDir({ SECUREGATE_MODELS_DIR: '/srv/models' })).toBe('/srv/models');
});
