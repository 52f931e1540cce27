import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { fetchSources } from '../../../../models/registry/fetch-sources.ts';
import { makePackage, startRegistry, useRegistry } from '../../../helpers/npm-registry.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';
import { tinyEntry } from '../../../helpers/tiny-model.ts';

/** A server that has one file, which is what a model with a URL is. */
async function setUp() {
  const held = await makePackage('held', '1.0.0', { 'package.json': Buffer.from('{}') });
  const registry = await startRegistry(held);
  await useRegistry(registry.url);
  const source = { type: 'url', url: `${registry.url}/model.tgz` } as const;
  return { held, source, staging: await tempFolder() };
}

test('a model with a URL is fetched as it is', async () => {
  const { held, source, staging } = await setUp();
  const entry = tinyEntry({ source, sha256: createHash('sha256').update(held.tarball).digest('hex') });
  const progress: string[] = [];
  const files = await fetchSources([entry], staging, { onProgress: ({ what, bytes }) => progress.push(`${what} ${bytes}`) });
  expect(await readFile(files.get(entry) ?? '')).toEqual(held.tarball);
  expect(progress.at(-1)).toBe(`tiny ${held.tarball.length}`);
});

test('a model with a URL must have its SHA-256', async () => {
  const { source, staging } = await setUp();
  await expect(fetchSources([tinyEntry({ source })], staging, {})).rejects.toMatchObject({ code: 'model_integrity' });
});

test('a URL that answers with an error is a source that failed', async () => {
  const { source, staging } = await setUp();
  const entry = tinyEntry({ source: { ...source, url: source.url.replace('.tgz', '.onnx') } });
  await expect(fetchSources([entry], staging, {})).rejects.toMatchObject({ code: 'model_source' });
});
