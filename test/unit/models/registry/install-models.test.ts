import { copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { importModel } from '../../../../models/registry/import-model.ts';
import { installedFiles } from '../../../../models/registry/installed-files.ts';
import { listModels } from '../../../../models/registry/list-models.ts';
import { type Manifest, type ModelEntry, manifestSchema } from '../../../../models/registry/manifest-schema.ts';
import { pullModels } from '../../../../models/registry/pull-models.ts';
import { resolveSet } from '../../../../models/registry/resolve-set.ts';
import { verifyModels } from '../../../../models/registry/verify-models.ts';
import { makePackage, startRegistry, useRegistry } from '../../../helpers/npm-registry.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';
import { tinyEntry, tinyManifest, tinyModel } from '../../../helpers/tiny-model.ts';

const entry = tinyEntry();
const research: ModelEntry['licence'] = { name: 'Research only', commercialUse: false, mustAccept: true };

async function setUp(changes: Partial<ModelEntry> = {}, content: Uint8Array = tinyModel()) {
  const store = await tempFolder();
  const folder = await tempFolder();
  const file = join(folder, 'tiny.onnx');
  await writeFile(file, content);
  const manifest = tinyManifest(tinyEntry(changes));
  return { store, folder, file, manifest, options: { store, manifest } };
}

/** A manifest whose whole set comes out of one npm package. */
function manifestOf(source: ModelEntry['source']): Manifest {
  const manifest = tinyManifest(entry);
  const models = manifest.models.map((model) => ({ ...model, source, output: entry.output }));
  return manifestSchema.parse({ ...manifest, models });
}

describe('importing', () => {
  test('a file is known by its SHA-256, rewritten, and can be resolved', async () => {
    const { store, file, options } = await setUp();
    expect(await importModel(file, options)).toBe('tiny');
    expect(await readdir(store)).toEqual(['tiny']);
    expect((await readdir(join(store, 'tiny'))).sort()).toEqual(['model.onnx', 'record.json', 'source.onnx']);
    expect(await readFile(installedFiles(store, entry).source)).toEqual(tinyModel());
    expect(await verifyModels(options)).toEqual([{ id: 'tiny', fault: null }]);
    expect(listModels(options).map(({ installed }) => installed)).toEqual([true, false]);
  });

  test('a file without a pinned SHA-256 is checked by its contract alone', async () => {
    const { file, options } = await setUp({ sha256: null });
    await expect(importModel(file, options)).rejects.toMatchObject({ code: 'model_unknown' });
    expect(await importModel(file, { ...options, as: 'tiny' })).toBe('tiny');
    expect(await verifyModels(options)).toEqual([{ id: 'tiny', fault: null }]);
  });

  test.each<[string, string, Partial<ModelEntry>, Uint8Array]>([
    ['of another shape', 'model_contract', { sha256: null }, tinyModel({ width: 8, values: 48 })],
    ['with a shorter embedding', 'model_contract', { sha256: null, output: { decoder: 'embedding', dimensions: 512 } }, tinyModel()],
    ['that is no model', 'model_contract', { sha256: null }, Buffer.from('no model')],
    ['that cannot take a batch where no rewrite is planned', 'model_contract', { rewrite: null }, tinyModel()],
    ['of another shape than its pinned SHA-256 would have', 'model_contract', {}, tinyModel({ width: 8, values: 48 })],
    ['of the right shape with another SHA-256', 'model_integrity', { sha256: 'a'.repeat(64) }, tinyModel()],
    ['under a licence that was not accepted', 'model_licence', { licence: research }, tinyModel()],
  ])('a file %s is refused (%s) and nothing is kept', async (_name, code, changes, content) => {
    const { store, file, options } = await setUp(changes, content);
    await expect(importModel(file, { ...options, as: 'tiny' })).rejects.toMatchObject({ code });
    expect(await readdir(store)).toEqual([]);
  });

  test('an unknown id and a missing file are refused', async () => {
    const { file, options } = await setUp();
    await expect(importModel(file, { ...options, as: 'constructor' })).rejects.toMatchObject({ code: 'model_unknown' });
    await expect(importModel(`${file}x`, options)).rejects.toMatchObject({ code: 'file_unreadable' });
  });

  test('an accepted licence is kept on record', async () => {
    const { store, file, options } = await setUp({ licence: research });
    await importModel(file, { ...options, acceptLicence: true });
    expect(JSON.parse(await readFile(installedFiles(store, entry).record, 'utf8'))).toMatchObject({ acceptedLicence: 'Research only' });
  });
});

describe('damage is seen', () => {
  test.each(['source', 'model', 'record'] as const)('of the %s file, and pulling again repairs it', async (which) => {
    const { store, folder, options } = await setUp();
    const manifest = manifestOf(entry.source);
    await pullModels({ store, manifest, from: folder });
    const file = installedFiles(store, entry)[which];
    const bytes = await readFile(file);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    await writeFile(file, bytes);
    const [verified] = await verifyModels({ store, manifest });
    expect(verified).toMatchObject({ id: 'tiny', fault: { code: 'model_integrity' } });
    if (which !== 'source') await expect(resolveSet(undefined, { store, manifest })).rejects.toMatchObject({ code: 'model_integrity' });
    expect(await pullModels({ ...options, manifest, from: folder })).toEqual([
      { id: 'tiny-detector', state: 'present' },
      { id: 'tiny', state: 'installed' },
    ]);
    expect((await verifyModels({ store, manifest })).map(({ fault }) => fault)).toEqual([null, null]);
  });

  test('of a rewritten file even when its record was changed with it', async () => {
    const { store, file, options } = await setUp();
    await importModel(file, options);
    const { model, record } = installedFiles(store, entry);
    await writeFile(model, tinyModel());
    const known = JSON.parse(await readFile(record, 'utf8'));
    await writeFile(record, JSON.stringify({ ...known, modelSha256: known.sourceSha256 }));
    expect(await verifyModels(options)).toMatchObject([{ fault: { code: 'model_integrity' } }]);
  });

  test('of a source file that would be rewritten to the same', async () => {
    const { store, file, options } = await setUp();
    await importModel(file, options);
    const { source, model } = installedFiles(store, entry);
    await copyFile(model, source);
    expect(await verifyModels(options)).toMatchObject([{ fault: { code: 'model_integrity' } }]);
  });

  test('of a version that is no longer the manifest’s', async () => {
    const { store, file, options } = await setUp();
    await importModel(file, options);
    const newer = tinyManifest(tinyEntry({ sha256: 'a'.repeat(64) }));
    expect(await verifyModels({ store, manifest: newer })).toMatchObject([{ fault: { code: 'model_integrity' } }]);
  });

  test('of a folder that is not whole', async () => {
    const { store, file, options } = await setUp();
    await importModel(file, options);
    await rm(installedFiles(store, entry).record);
    expect(await verifyModels(options)).toMatchObject([{ fault: { code: 'model_missing' } }]);
  });
});

describe('pulling', () => {
  test('takes all models of a package out of one download, and does nothing the second time', async () => {
    const held = await makePackage('models', '1.0.0', { 'model/tiny.onnx': tinyModel() });
    const registry = await startRegistry(held);
    await useRegistry(registry.url);
    const manifest = manifestOf({
      type: 'npm',
      package: 'models',
      version: '1.0.0',
      integrity: held.integrity,
      bytes: 1,
      path: 'model/tiny.onnx',
    });
    const store = await tempFolder();
    expect((await pullModels({ store, manifest })).map(({ state }) => state)).toEqual(['installed', 'installed']);
    expect(registry.requests.filter(({ path }) => path.endsWith('.tgz'))).toHaveLength(1);
    expect((await pullModels({ store, manifest })).map(({ state }) => state)).toEqual(['present', 'present']);
    expect(registry.requests).toHaveLength(2);
    expect((await resolveSet(undefined, { store, manifest })).embedder.path).toBe(join(store, 'tiny', 'model.onnx'));
  });

  test('a model that an earlier version rewrote otherwise is made again of its source, without network', async () => {
    const held = await makePackage('models', '1.0.0', { 'tiny.onnx': tinyModel() });
    const registry = await startRegistry(held);
    await useRegistry(registry.url);
    const manifest = manifestOf({
      type: 'npm',
      package: 'models',
      version: '1.0.0',
      integrity: held.integrity,
      bytes: 1,
      path: 'tiny.onnx',
    });
    const store = await tempFolder();
    await pullModels({ store, manifest });
    const { model, record } = installedFiles(store, entry);
    const rewritten = await readFile(model);
    const asked = registry.requests.length;
    // Sound by its own record, as that version left it.
    await writeFile(model, tinyModel());
    const known = JSON.parse(await readFile(record, 'utf8'));
    await writeFile(record, JSON.stringify({ ...known, modelSha256: known.sourceSha256 }));
    expect((await pullModels({ store, manifest })).map(({ state }) => state)).toEqual(['present', 'installed']);
    expect(await readFile(model)).toEqual(rewritten);
    expect(registry.requests).toHaveLength(asked);
  });

  test('from a folder takes the tarball or the files', async () => {
    const held = await makePackage('@venue/models', '1.0.0', { 'model/tiny.onnx': tinyModel() });
    await useRegistry('http://127.0.0.1:9');
    const { integrity } = held;
    const manifest = manifestOf({ type: 'npm', package: '@venue/models', version: '1.0.0', integrity, bytes: 1, path: 'model/tiny.onnx' });
    const folder = await tempFolder();
    const pull = async () => pullModels({ store: await tempFolder(), manifest, from: folder });
    await expect(pull()).rejects.toMatchObject({ code: 'model_source', message: expect.stringContaining('venue-models-1.0.0.tgz') });
    await writeFile(join(folder, 'venue-models-1.0.0.tgz'), held.tarball);
    await expect(pull()).resolves.toHaveLength(2);
    await rm(join(folder, 'venue-models-1.0.0.tgz'));
    await writeFile(join(folder, 'tiny.onnx'), tinyModel());
    await expect(pull()).resolves.toHaveLength(2);
    await writeFile(join(folder, 'tiny.onnx'), tinyModel({ width: 8, values: 48 }));
    await expect(pull()).rejects.toMatchObject({ code: 'model_integrity' });
  });

  test('asks for the licence before anything else', async () => {
    const { store, folder, options } = await setUp({ licence: research });
    await expect(pullModels({ ...options, from: folder })).rejects.toMatchObject({ code: 'model_licence' });
    expect(await readdir(store)).toEqual([]);
  });

  test('says where the operator finds a file that nobody may hand out', async () => {
    const { options } = await setUp();
    await expect(pullModels(options)).rejects.toMatchObject({
      code: 'model_source',
      message: expect.stringContaining('Made by the test.'),
    });
  });

  test('refuses an unknown set', async () => {
    const { options } = await setUp();
    await expect(pullModels({ ...options, set: '__proto__' })).rejects.toMatchObject({ code: 'model_unknown' });
  });

  test('a folder that cannot be written is named as such', async () => {
    const { folder, file, manifest } = await setUp();
    await expect(pullModels({ store: join(file, 'below-a-file'), manifest, from: folder })).rejects.toMatchObject({
      code: 'storage_failed',
    });
  });
});

test('a set that is not installed is missing', async () => {
  const { options } = await setUp();
  await expect(resolveSet(undefined, options)).rejects.toMatchObject({ code: 'model_missing' });
});
