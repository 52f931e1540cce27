import { describe, expect, test } from 'vitest';
import type { Vault } from '../../../../../edge/vault/vault.ts';
import { newId } from '../../../../../shared/ids/ids.ts';
import { testBox, testVault } from '../../../../helpers/vault.ts';
import { consentFor, embeddingOf, face, guest, MODEL, pictureOf, sightingOf } from '../../../../helpers/vault-guests.ts';

const refused = (code: string): unknown => expect.objectContaining({ code });

async function openVault(now?: () => number): Promise<Vault> {
  const vault = testVault(await testBox(), 'hall', now);
  await vault.start();
  return vault;
}

const candidates = (vault: Vault, seed: number): string[] =>
  vault.faces
    .search({ embeddings: [embeddingOf(seed)], model: MODEL, limit: 3 })
    .flatMap((list) => list.map(({ customerId }) => customerId));

const names = (vault: Vault, query?: string): string[] => vault.customers.list({ query, limit: 200 }).items.map(({ name }) => name);

describe('a list of customers', () => {
  test('shows each customer once, page by page, although some come and go meanwhile', async () => {
    const vault = await openVault();
    const ids = Array.from({ length: 7 }, (_, seed) => vault.customers.enrol({ ...guest(seed), faces: [] }).customerId).reverse();
    const first = vault.customers.list({ limit: 3 });
    expect(first.items.map(({ customerId }) => customerId)).toEqual(ids.slice(0, 3));
    vault.customers.enrol(guest(90));
    // The very customer at whom the page ended.
    await vault.customers.remove({ customerId: ids[2] ?? '' });
    await vault.customers.remove({ customerId: ids[4] ?? '' });
    const second = vault.customers.list({ limit: 3, cursor: first.next ?? '' });
    expect(second.items.map(({ customerId }) => customerId)).toEqual([ids[3], ids[5], ids[6]]);
    expect(second.next).toBeNull();
  });

  test('ends with null also when the last page is full', async () => {
    const vault = await openVault();
    for (const seed of [1, 2, 3, 4]) vault.customers.enrol(guest(seed));
    const { next } = vault.customers.list({ limit: 2 });
    expect(vault.customers.list({ limit: 2, cursor: next ?? '' })).toMatchObject({ items: [{}, {}], next: null });
  });

  test('finds names whatever their case and accents, also after a change and after the next start', async () => {
    const box = await testBox();
    const vault = testVault(box);
    await vault.start();
    const [zoe] = ['Zoë Groß', 'Jürgen Łukasz', 'Anna'].map((name) => vault.customers.enrol({ ...guest(1), profile: { name } }).customerId);
    expect(names(vault, 'zoe GROSS')).toEqual(['Zoë Groß']);
    expect(names(vault, 'lukasz')).toEqual(['Jürgen Łukasz']);
    vault.customers.changeProfile({ customerId: zoe ?? '', change: { name: 'Chloé' } });
    for (const opened of [vault, testVault(box)]) {
      if (opened !== vault) {
        vault.stop();
        await opened.start();
      }
      expect([names(opened, 'zoe'), names(opened, 'CHLOE'), names(opened, 'nobody')]).toEqual([[], ['Chloé'], []]);
    }
  });
});

test('a customer has the id that is chosen for him, which is never given twice', async () => {
  const vault = await openVault();
  const [customerId, faceId] = [newId('customer'), newId('face')];
  const wanted = (): Parameters<Vault['customers']['enrol']>[0] => ({ ...guest(1), customerId, faces: [{ ...face(1), faceId }] });
  expect(vault.customers.enrol(wanted())).toEqual({ customerId, faceIds: [faceId] });
  expect(() => vault.customers.enrol(wanted())).toThrow(refused('conflict'));
  expect(candidates(vault, 1)).toEqual([customerId]);
  await vault.customers.remove({ customerId });
  expect(() => vault.customers.enrol(wanted()), 'who was erased stays so').toThrow(refused('conflict'));
});

describe('a profile', () => {
  test('changes in what is named, and only on the version that the caller has seen', async () => {
    const vault = await openVault();
    const { customerId } = vault.customers.enrol({ ...guest(1), profile: { name: 'Old', contact: 'old@example.org' } });
    expect(vault.customers.get({ customerId })).toMatchObject({ name: 'Old', contact: 'old@example.org', version: 1 });
    expect(vault.customers.changeProfile({ customerId, change: { name: 'New' }, version: 1 })).toMatchObject({
      name: 'New',
      contact: 'old@example.org',
      version: 2,
    });
    expect(() => vault.customers.changeProfile({ customerId, change: { name: 'Late' }, version: 1 })).toThrow(refused('version_conflict'));
    await expect(vault.customers.remove({ customerId, version: 1 })).rejects.toThrow(refused('version_conflict'));
    expect(vault.customers.changeProfile({ customerId, change: { contact: null } })).toMatchObject({
      name: 'New',
      contact: null,
      version: 3,
    });
    expect(vault.customers.get({ customerId })).toMatchObject({ name: 'New', contact: null });
  });

  test('another version tells of every change: faces and consents as well', async () => {
    const vault = await openVault();
    const { customerId } = vault.customers.enrol({ ...guest(1), faces: [] });
    const version = (): number => vault.customers.get({ customerId }).version;
    const { faceId } = vault.faces.add({ customerId, face: face(1) });
    expect(version()).toBe(2);
    vault.faces.remove({ customerId, faceId });
    expect(version()).toBe(3);
    vault.customers.withdrawConsent({ customerId });
    expect(version()).toBe(4);
    vault.customers.recordConsent({ customerId, consent: consentFor() });
    expect(version()).toBe(5);
  });
});

describe('a withdrawn consent', () => {
  test('ends all recognition, now and after the next start, until a new one is recorded', async () => {
    const box = await testBox();
    let vault = testVault(box);
    await vault.start();
    const { customerId } = vault.customers.enrol(guest(1));
    vault.customers.withdrawConsent({ customerId });
    for (const restart of [false, true]) {
      if (restart) {
        vault.stop();
        vault = testVault(box);
        await vault.start();
      }
      expect([candidates(vault, 1), vault.faceCount]).toEqual([[], 0]);
      expect(vault.customers.get({ customerId })).toMatchObject({ consentState: 'withdrawn', faces: 1 });
      expect(() => vault.faces.add({ customerId, face: face(2) })).toThrow(refused('consent_missing'));
      vault.customers.changeProfile({ customerId, change: { name: 'Still not' } });
      expect(candidates(vault, 1)).toEqual([]);
    }
    const { version } = vault.customers.get({ customerId });
    vault.customers.withdrawConsent({ customerId });
    expect(vault.customers.get({ customerId }).version).toBe(version);
    vault.customers.recordConsent({ customerId, consent: consentFor() });
    expect([candidates(vault, 1), vault.customers.get({ customerId }).consentState]).toEqual([[customerId], 'valid']);
  });

  test('is told from one that has run out', async () => {
    let now = Date.now();
    const vault = await openVault(() => now);
    const { customerId } = vault.customers.enrol({ ...guest(1), consent: consentFor(1000, now) });
    const state = (): string => vault.customers.list({ limit: 1 }).items[0]?.consentState ?? '';
    expect(state()).toBe('valid');
    now += 1000;
    expect(state()).toBe('expired');
    vault.customers.withdrawConsent({ customerId });
    expect(state()).toBe('withdrawn');
  });
});

describe('a clock that ran ahead', () => {
  const YEAR = 365 * 86_400_000;

  test('ends every consent, and put right it lets everybody in again but those who said no meanwhile', async () => {
    const start = Date.now();
    let now = start;
    const vault = await openVault(() => now);
    const [stays, leaves] = [1, 2].map((seed) => vault.customers.enrol(guest(seed)).customerId);
    now = start + YEAR;
    expect(candidates(vault, 1)).toEqual([]);
    vault.customers.withdrawConsent({ customerId: leaves ?? '' });
    now = start;
    expect(candidates(vault, 1)).toEqual([stays]);
    now = start + YEAR;
    expect(candidates(vault, 1)).toEqual([]);
    now = start;
    expect(vault.faces.verify({ customerId: stays ?? '', ...face(1) }).score).toBeCloseTo(1, 5);
  });

  test('keeps nobody away for good from a vault that was opened meanwhile', async () => {
    const start = Date.now();
    let now = start;
    const box = await testBox();
    const before = testVault(box, 'hall', () => now);
    await before.start();
    const { customerId } = before.customers.enrol(guest(1));
    before.stop();
    now = start + YEAR;
    const vault = testVault(box, 'hall', () => now);
    await vault.start();
    expect(candidates(vault, 1)).toEqual([]);
    now = start;
    expect(candidates(vault, 1)).toEqual([customerId]);
  });
});

describe('faces', () => {
  test('have a picture or none, and what was given is overwritten', async () => {
    const vault = await openVault();
    const picture = pictureOf(1);
    const { customerId, faceIds } = vault.customers.enrol({ ...guest(1), faces: [{ ...face(1), picture }, face(2)] });
    const [pictured = '', plain = ''] = faceIds;
    expect(vault.faces.picture({ customerId, faceId: pictured })).toEqual(pictureOf(1));
    expect(picture.every((byte) => byte === 0)).toBe(true);
    expect(() => vault.faces.picture({ customerId, faceId: plain })).toThrow(refused('record_not_found'));
    const { faceList } = vault.customers.get({ customerId });
    expect(new Map(faceList.map((stored) => [stored.faceId, stored.hasPicture]))).toEqual(
      new Map([
        [pictured, true],
        [plain, false],
      ]),
    );
  });

  test('that are removed are candidates no more, now and after the next start; the others stay', async () => {
    const box = await testBox();
    const vault = testVault(box);
    await vault.start();
    const { customerId, faceIds } = vault.customers.enrol({ ...guest(1), faces: [face(1), face(2)] });
    const other = vault.customers.enrol(guest(3));
    const faceId = faceIds[0] ?? '';
    expect(() => vault.faces.remove({ customerId: other.customerId, faceId })).toThrow(refused('record_not_found'));
    expect(() => vault.faces.picture({ customerId: other.customerId, faceId })).toThrow(refused('record_not_found'));
    vault.faces.remove({ customerId, faceId });
    expect(() => vault.faces.remove({ customerId, faceId })).toThrow(refused('record_not_found'));
    const best = (opened: Vault, seed: number): number =>
      opened.faces.search({ embeddings: [embeddingOf(seed)], model: MODEL, limit: 1 })[0]?.[0]?.score ?? 0;
    expect([vault.faceCount, best(vault, 1) < 0.9, best(vault, 2) > 0.9]).toEqual([2, true, true]);
    vault.stop();
    const again = testVault(box);
    await again.start();
    expect([again.faceCount, best(again, 1) < 0.9, best(again, 2) > 0.9]).toEqual([2, true, true]);
  });
});

describe('a customer compared with a face', () => {
  const verify = (vault: Vault, customerId: string, seed: number, model = MODEL): number =>
    vault.faces.verify({ customerId, embedding: embeddingOf(seed), model }).score;

  test('has a score, however many others look more alike', async () => {
    const vault = await openVault();
    const { customerId } = vault.customers.enrol({ ...guest(1), faces: [face(1), face(2)] });
    for (let count = 0; count < 40; count += 1) vault.customers.enrol(guest(9));
    const similarity = embeddingOf(9).reduce((sum, value, index) => sum + value * (embeddingOf(1)[index] ?? 0), 0);
    expect(verify(vault, customerId, 2)).toBeCloseTo(1, 5);
    expect(verify(vault, customerId, 9)).toBeGreaterThanOrEqual(similarity - 1e-5);
    expect(verify(vault, customerId, 9)).toBeLessThan(0.9);
  });

  test('needs a face of the same model', async () => {
    const vault = await openVault();
    const { customerId, faceIds } = vault.customers.enrol(guest(1));
    expect(() => verify(vault, customerId, 1, 'another-embedder')).toThrow(refused('record_not_found'));
    vault.faces.remove({ customerId, faceId: faceIds[0] ?? '' });
    expect(() => verify(vault, customerId, 1)).toThrow(refused('record_not_found'));
  });

  test('needs a consent that holds', async () => {
    let now = Date.now();
    const vault = await openVault(() => now);
    const leaving = vault.customers.enrol({ ...guest(1), consent: consentFor(1000, now) }).customerId;
    const refusing = vault.customers.enrol(guest(2)).customerId;
    vault.customers.withdrawConsent({ customerId: refusing });
    expect(() => verify(vault, refusing, 2)).toThrow(refused('consent_missing'));
    now += 999;
    expect(verify(vault, leaving, 1)).toBeCloseTo(1, 5);
    now += 1;
    expect(() => verify(vault, leaving, 1)).toThrow(refused('consent_expired'));
    vault.customers.recordConsent({ customerId: leaving, consent: consentFor(1000, now) });
    expect(verify(vault, leaving, 1)).toBeCloseTo(1, 5);
  });
});

describe('a removed customer', () => {
  test('is gone with everything about him; nobody else is', async () => {
    const vault = await openVault();
    const gone = vault.customers.enrol(guest(1)).customerId;
    const kept = vault.customers.enrol(guest(2)).customerId;
    vault.sightings.record(sightingOf(gone));
    vault.sightings.record(sightingOf(kept));
    vault.records.add({ kind: 'attendees', json: '{"of":"gone"}', customerId: gone });
    vault.records.add({ kind: 'attendees', json: '{"of":"kept"}', customerId: kept });
    await vault.customers.remove({ customerId: gone, version: 1 });
    expect(() => vault.customers.get({ customerId: gone })).toThrow(refused('customer_not_found'));
    await expect(vault.customers.remove({ customerId: gone })).rejects.toThrow(refused('customer_not_found'));
    expect(() => vault.sightings.record(sightingOf(gone))).toThrow(refused('customer_not_found'));
    expect(() => vault.records.add({ kind: 'attendees', json: '{}', customerId: gone })).toThrow(refused('customer_not_found'));
    expect([candidates(vault, 1), vault.faceCount, names(vault)]).toEqual([[kept], 1, ['Guest Number 2']]);
    expect(vault.customers.list({ limit: 1 }).next).toBeNull();
    expect(vault.sightings.list({ limit: 10 }).items.map(({ customerId }) => customerId)).toEqual([kept]);
    expect(vault.records.list({ kind: 'attendees', limit: 10 }).items.map(({ json }) => json)).toEqual(['{"of":"kept"}']);
  });

  test('who never was is named so, for every operation', async () => {
    const vault = await openVault();
    const customerId = newId('customer');
    const attempts = [
      () => vault.customers.changeProfile({ customerId, change: {} }),
      () => vault.customers.withdrawConsent({ customerId }),
      () => vault.faces.remove({ customerId, faceId: newId('face') }),
      () => vault.faces.picture({ customerId, faceId: newId('face') }),
      () => vault.faces.verify({ customerId, embedding: embeddingOf(1), model: MODEL }),
    ];
    for (const attempt of attempts) expect(attempt).toThrow(refused('customer_not_found'));
    await expect(vault.customers.remove({ customerId })).rejects.toThrow(refused('customer_not_found'));
    await expect(vault.customers.erase([customerId])).rejects.toThrow(refused('customer_not_found'));
  });

  test('can be one of several who are removed at once: all of them, or nobody if one never was', async () => {
    const vault = await openVault();
    const [anna, ben, cleo] = [1, 2, 3].map((seed) => vault.customers.enrol(guest(seed)).customerId) as [string, string, string];
    await expect(vault.customers.erase([anna, newId('customer')])).rejects.toThrow(refused('customer_not_found'));
    expect(names(vault)).toHaveLength(3);
    await vault.customers.erase([anna, ben, anna]);
    expect([candidates(vault, 1), candidates(vault, 3), names(vault)]).toEqual([[cleo], [cleo], ['Guest Number 3']]);
    // Asked again, after an answer that was lost.
    await vault.customers.erase([anna, ben]);
    expect(vault.erasures.list({ limit: 9 }).items.map(({ customerId }) => customerId)).toEqual([ben, anna]);
  });
});

test('names of many are told at once, without those who are gone', async () => {
  const vault = await openVault();
  const [anna = '', ben = '', cleo = ''] = ['Anna', 'Ben', 'Cleo'].map(
    (name, seed) => vault.customers.enrol({ ...guest(seed), profile: { name } }).customerId,
  );
  vault.customers.changeProfile({ customerId: cleo, change: { name: 'Chloé' } });
  await vault.customers.remove({ customerId: ben });
  expect(vault.customers.names({ customerIds: [cleo, ben, newId('customer'), anna] })).toEqual([
    { customerId: cleo, name: 'Chloé' },
    { customerId: anna, name: 'Anna' },
  ]);
});
