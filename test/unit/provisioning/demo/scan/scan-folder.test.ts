import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkCanaries } from '../../../../../provisioning/demo/scan/check-canaries.ts';
import { EMBEDDING_FORMS } from '../../../../../provisioning/demo/scan/encodings.ts';
import { scanFolder } from '../../../../../provisioning/demo/scan/scan-folder.ts';
import { imageData, type Secrets, secretsSearch } from '../../../../../provisioning/demo/scan/secrets-search.ts';
import { newId } from '../../../../../shared/ids/ids.ts';

let folder: string;
let secrets: Secrets;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scan-'));
  const noise = {
    create: { width: 120, height: 120, channels: 3, noise: { type: 'gaussian', mean: 128, sigma: 40 }, background: 'black' },
  } as const;
  secrets = { embeddings: [embedding(), embedding()], names: ['Ottilie Brackenwurst'], pictures: [await sharp(noise).jpeg().toBuffer()] };
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function embedding(): Float32Array {
  const values = Float32Array.from({ length: 512 }, () => (randomBytes(4).readUInt32LE() / 2 ** 32 - 0.5) * 0.15);
  const norm = Math.hypot(...values);
  return values.map((value) => value / norm);
}

/** Labels by file name. */
async function scan(): Promise<Record<string, string[]>> {
  const findings = await scanFolder(folder, secretsSearch(secrets));
  return Object.fromEntries(Array.from(findings, ([file, labels]) => [basename(file), Array.from(labels)]));
}

describe('scanFolder with secretsSearch', () => {
  test('finds nothing in what holds nothing', async () => {
    await writeFile(join(folder, 'random'), randomBytes(3_000_000));
    await writeFile(join(folder, 'text.log'), `${randomBytes(500_000).toString('hex')} ${randomBytes(500_000).toString('base64')}`);
    expect(await scan()).toEqual({});
  });

  test.each(Object.keys(EMBEDDING_FORMS))('finds any 16 values in a row: %s', async (form) => {
    const bytes = EMBEDDING_FORMS[form]?.(secrets.embeddings[1] ?? new Float32Array()) ?? Buffer.alloc(0);
    const size = bytes.length / 512;
    for (const from of [0, 1, 5, 250, 496]) {
      const piece = bytes.subarray(from * size, (from + 16) * size);
      await writeFile(join(folder, 'piece'), Buffer.concat([randomBytes(333), piece, randomBytes(3)]));
      expect((await scan()).piece, `from ${from}`).toContain(`embedding, ${form}`);
    }
  });

  test('finds parts of names, in folders below', async () => {
    await mkdir(join(folder, 'deep', 'er'), { recursive: true });
    await writeFile(join(folder, 'deep', 'er', 'a'), 'x Brackenwurst y');
    await writeFile(join(folder, 'deep', 'b'), Buffer.from('x Ottilie y', 'utf16le'));
    expect(await scan()).toEqual({ a: ['name, UTF-8'], b: ['name, UTF-16'] });
  });

  test('finds names and customer ids in signed words, wherever they begin in them', async () => {
    const id = newId('customer');
    secrets = { ...secrets, customerIds: [id] };
    for (const before of ['', '1', '12', '123']) {
      const word = (said: string): string => Buffer.from(`${before}{"sub":"${said}","exp":1}`).toString('base64url');
      await writeFile(join(folder, 'name'), word('Ottilie Brackenwurst'));
      await writeFile(join(folder, 'id'), word(id));
      expect(await scan()).toEqual({ name: ['name, base64', 'name, base64url'], id: ['customer id, base64', 'customer id, base64url'] });
    }
    await writeFile(join(folder, 'id'), id.slice('cus_'.length));
    expect(await scan()).toMatchObject({ id: ['customer id, UTF-8'] });
  });

  test('finds a picture without its header', async () => {
    const data = imageData(secrets.pictures[0] ?? Buffer.alloc(0));
    await writeFile(join(folder, 'crop'), data.subarray(300, 900));
    expect(await scan()).toEqual({ crop: ['picture'] });
  });

  test('finds what lies across the chunks in which a file is read', async () => {
    for (const at of [4 * 1024 * 1024 - 7, 8 * 1024 * 1024 - 100]) {
      await writeFile(join(folder, 'large'), Buffer.concat([Buffer.alloc(at), Buffer.from('Brackenwurst'), Buffer.alloc(9)]));
      expect(await scan()).toEqual({ large: ['name, UTF-8'] });
    }
  });
});

describe('checkCanaries', () => {
  test('passes with a search that sees and leaves nothing behind', async () => {
    secrets = { ...secrets, customerIds: [newId('customer')] };
    await checkCanaries(folder, secrets, secretsSearch(secrets));
    await expect(scan()).resolves.toEqual({});
  });

  test('fails with a search that is blind in one eye', async () => {
    const blind = secretsSearch({ ...secrets, names: [] });
    await expect(checkCanaries(folder, secrets, blind)).rejects.toMatchObject({
      code: 'demo_failed',
      details: { forms: ['name, UTF-8', 'name, UTF-16', 'name, hex', 'name, base64', 'name, base64url'] },
    });
    expect(await scan()).toEqual({});
  });

  test('fails where there is nothing to look for', async () => {
    const nothing = { embeddings: [], names: [], pictures: [] };
    await expect(checkCanaries(folder, nothing, secretsSearch(nothing))).rejects.toMatchObject({ code: 'demo_failed' });
  });
});
