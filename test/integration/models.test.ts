import { execFile, spawn } from 'node:child_process';
import { copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadModel } from '../../edge/inference/load-model.ts';
import { defaultModelsDir } from '../../models/registry/default-models-dir.ts';
import { findSet, membersOf } from '../../models/registry/find-set.ts';
import { installedFiles } from '../../models/registry/installed-files.ts';
import { loadManifest } from '../../models/registry/load-manifest.ts';
import { manifestSchema } from '../../models/registry/manifest-schema.ts';
import { projectRoot } from '../../models/registry/project-root.ts';
import { pullModels } from '../../models/registry/pull-models.ts';
import { verifyModels } from '../../models/registry/verify-models.ts';
import { embeddedModels } from '../helpers/embedded-models.ts';
import { makePackage, startRegistry, useRegistry } from '../helpers/npm-registry.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { tinyEntry, tinyManifest, tinyModel } from '../helpers/tiny-model.ts';

describe('a killed pull', () => {
  const CHUNKS = 8;
  const KILLS = 20;

  test(`leaves every model whole or absent, wherever it was killed (${KILLS} points)`, { timeout: 120_000 }, async () => {
    const held = await makePackage('models', '1.0.0', { 'tiny.onnx': tinyModel(), 'rest.bin': Buffer.alloc(1 << 16, 'x') });
    // The pull is killed when so many chunks were sent; above CHUNKS, a little later each time, while it unpacks and installs.
    let killAfter = 0;
    let kill: () => unknown = () => null;
    const send = (response: ServerResponse, tarball: Buffer): void => {
      const size = Math.ceil(tarball.length / CHUNKS);
      const next = (sent: number): void => {
        if (sent === killAfter && sent < CHUNKS) kill();
        else if (sent === CHUNKS) response.end(() => setTimeout(() => kill(), (killAfter - CHUNKS) * 3));
        else response.write(tarball.subarray(sent * size, (sent + 1) * size), () => setImmediate(next, sent + 1));
      };
      next(0);
    };
    const registry = await startRegistry(held, send);
    await useRegistry(registry.url);
    const source = { type: 'npm', package: 'models', version: '1.0.0', integrity: held.integrity, bytes: 1, path: 'tiny.onnx' };
    const tiny = tinyManifest(tinyEntry());
    const manifest = manifestSchema.parse({ ...tiny, models: tiny.models.map((model) => ({ ...model, source })) });
    const manifestFile = join(await tempFolder(), 'manifest.json');
    await writeFile(manifestFile, JSON.stringify(manifest));
    const store = await tempFolder();

    for (killAfter = 0; killAfter < KILLS; killAfter++) {
      const child = spawn(process.execPath, [join(import.meta.dirname, '../helpers/pull-process.ts'), store, manifestFile], {
        // What a first pull has put into npm's cache would not be fetched again.
        env: { ...process.env, npm_config_cache: join(await tempFolder(), 'cache') },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      kill = () => child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
      for (const { id, fault } of await verifyModels({ store, manifest })) expect(fault, `${id}, kill ${killAfter}`).toBeNull();
      // Installed models would not be pulled again. What lies beside them stays, for the next pull to sweep away.
      for (const { id } of manifest.models) await rm(join(store, id), { recursive: true, force: true });
    }
    // No kill this time: what was left over is swept away.
    kill = () => null;
    await pullModels({ store, manifest });
    expect((await readdir(store)).sort()).toEqual(['tiny', 'tiny-detector']);
    expect((await verifyModels({ store, manifest, set: 'small' })).map(({ fault }) => fault)).toEqual([null, null]);
  });
});

describe('the real models', () => {
  test('fit their contracts in ONNX Runtime', async () => {
    const { detector, landmarks, embedder } = await embeddedModels();
    for (const model of [detector, landmarks, embedder]) {
      if (model === null) throw new Error('the default set finds its landmarks by a model');
      const session = await loadModel({ ...model, provider: 'cpu' });
      const { width, height, channels } = model.entry.input;
      const outputs = await session.run(new Float32Array(2 * width * height * (channels === 'grey' ? 1 : 3)), 2);
      for (const { dims } of outputs) expect(dims[0]).toBe(2);
      await session.close();
    }
  });
});

describe('the command line', () => {
  interface Result {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
  }

  function securegate(...args: string[]): Promise<Result> {
    const main = join(projectRoot(), 'provisioning', 'main.ts');
    return new Promise((resolve) => {
      execFile(process.execPath, [main, 'models', ...args], (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });
  }

  /** A folder with the default set's files, as somebody would carry it to a box without network. */
  async function carriedFolder(): Promise<string> {
    await embeddedModels();
    const folder = await tempFolder();
    const manifest = loadManifest();
    for (const entry of membersOf(findSet(manifest, manifest.defaultSet))) {
      if (entry.source.type !== 'npm') throw new Error(`${entry.id} does not come from npm`);
      await copyFile(installedFiles(defaultModelsDir(), entry).source, join(folder, basename(entry.source.path)));
    }
    return folder;
  }

  test('pulls without network from a folder, verifies, and sees damage', async () => {
    await useRegistry('http://127.0.0.1:9');
    const store = await tempFolder();
    const common = ['--models-dir', store, '--json'];
    const pulled = await securegate('pull', '--from', await carriedFolder(), ...common);
    expect(pulled).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(pulled.stdout).models.map(({ state }: { state: string }) => state)).toEqual(['installed', 'installed', 'installed']);

    const verified = await securegate('verify', ...common);
    expect(verified.code).toBe(0);
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, models: [{ fault: null }, { fault: null }, { fault: null }] });

    const file = join(store, 'landmarks-68', 'model.onnx');
    const bytes = await readFile(file);
    bytes[5000] = (bytes[5000] ?? 0) ^ 1;
    await writeFile(file, bytes);
    const damaged = await securegate('verify', ...common);
    expect(damaged.code).toBe(1);
    expect(JSON.parse(damaged.stdout)).toMatchObject({
      ok: false,
      models: [{ fault: null }, { fault: { code: 'model_integrity' } }, { fault: null }],
    });
  });

  test('lists every model with its licence', async () => {
    const { code, stdout } = await securegate('list', '--models-dir', await tempFolder(), '--json');
    expect(code).toBe(0);
    const { models } = JSON.parse(stdout);
    expect(models).toHaveLength(loadManifest().models.length);
    for (const model of models) expect(model).toMatchObject({ installed: false, licence: { name: expect.any(String) } });
  });

  test.each([
    ['a licence that was not accepted', 'model_licence', ['pull', '--set', 'antelopev2']],
    ['a set that is not there', 'model_unknown', ['pull', '--set', 'x']],
    ['a folder without the files', 'model_source', ['pull', '--from', '/nowhere']],
    ['nothing to verify', 'model_missing', ['verify']],
    ['a file that is not there', 'file_unreadable', ['import', '/nowhere.onnx']],
  ])('fails for %s with a code', async (_name, code, args) => {
    const result = await securegate(...args, '--models-dir', await tempFolder(), '--json');
    expect(result.code).toBe(1);
    expect(JSON.parse(result.stderr)).toMatchObject({ error: { code } });
  });

  test('refuses a model file of the wrong shape', async () => {
    const file = join(await tempFolder(), 'glintr100.onnx');
    await writeFile(file, tinyModel());
    const result = await securegate('import', file, '--as', 'glintr100', '--accept-licence', '--models-dir', await tempFolder(), '--json');
    expect(result.code).toBe(1);
    expect(JSON.parse(result.stderr)).toMatchObject({ error: { code: 'model_contract' } });
  });
});
