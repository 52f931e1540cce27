import { expect, test } from 'vitest';
import { openAppliance } from '../../../../edge/appliance/open-appliance.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

test('tenants and their policies are there again after a restart', async () => {
  const folder = await tempFolder();
  const before = openAppliance(folder);
  before.tenants.put({ id: 'hall', org: 'acme', matchThreshold: 0.45, unmatchedTtlMs: 5000, sightingsDays: 30, keys: 'file' });
  before.tenants.put({ id: 'club', org: 'acme', matchThreshold: null, unmatchedTtlMs: 10_000, sightingsDays: 7, keys: 'lease' });
  before.tenants.put({ id: 'hall', org: 'other', matchThreshold: null, unmatchedTtlMs: 2000, sightingsDays: 14, keys: 'lease' });
  before.close();
  const after = openAppliance(folder);
  try {
    expect(after.tenants.list()).toEqual([
      { id: 'club', org: 'acme', matchThreshold: null, unmatchedTtlMs: 10_000, sightingsDays: 7, keys: 'lease' },
      { id: 'hall', org: 'acme', matchThreshold: null, unmatchedTtlMs: 2000, sightingsDays: 14, keys: 'file' },
    ]);
  } finally {
    after.close();
  }
});
