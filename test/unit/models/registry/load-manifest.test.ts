import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadManifest } from '../../../../models/registry/load-manifest.ts';
import { manifestSchema } from '../../../../models/registry/manifest-schema.ts';
import { tinyEntry, tinyManifest } from '../../../helpers/tiny-model.ts';

describe('the manifest of the product', () => {
  const manifest = loadManifest();

  test('the default set may be used by everybody and needs nothing but npm', () => {
    const set = manifest.sets[manifest.defaultSet];
    const members = manifest.models.filter(({ id }) => [set?.detector, set?.landmarks, set?.embedder].includes(id));
    expect(members).toHaveLength(3);
    for (const { licence, source } of members) {
      expect(licence).toMatchObject({ commercialUse: true, mustAccept: false });
      expect(source.type).toBe('npm');
    }
  });

  test('a model without commercial use must be accepted first', () => {
    for (const { licence } of manifest.models) expect(licence.mustAccept).toBe(!licence.commercialUse);
  });

  test('every model has a card that names its licence', () => {
    for (const { id, licence } of manifest.models) {
      const card = new URL(`../../../../models/cards/${id}.md`, import.meta.url);
      expect(existsSync(card), `card of ${id}`).toBe(true);
      expect(readFileSync(card, 'utf8')).toContain(licence.name);
    }
  });
});

describe('the schema refuses', () => {
  const good = tinyManifest(tinyEntry());
  const [embedder, detector] = good.models;
  const url = { type: 'url', url: 'https://models.example/tiny.onnx' };

  test.each([
    ['a set whose detector detects nothing', { ...good, sets: { small: { ...good.sets.small, detector: 'tiny' } } }, 'detects no faces'],
    ['a set with an unknown embedder', { ...good, sets: { small: { ...good.sets.small, embedder: 'x' } } }, 'makes no embedding'],
    ['a default set that is not there', { ...good, defaultSet: 'large' }, 'no set large'],
    ['two models of one id', { ...good, models: [embedder, embedder, detector] }, 'same id'],
    ['a download without SHA-256', { ...good, models: [{ ...embedder, source: url, sha256: null }, detector] }, 'must be pinned'],
    ['a download without TLS', { ...good, models: [{ ...embedder, source: { ...url, url: 'http://models.example/x' } }, detector] }, 'url'],
    ['an id that is a path', { ...good, models: [{ ...embedder, id: '../tiny' }, detector] }, 'id'],
  ])('%s', (_name, manifest, reason) => {
    const result = manifestSchema.safeParse(manifest);
    expect(result.success).toBe(false);
    expect(JSON.stringify(result.error?.issues)).toContain(reason);
  });
});
