import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Vault } from '../../../../edge/vault/vault.ts';
import { newId } from '../../../../shared/ids/ids.ts';
import { testBox, testVault } from '../../../helpers/vault.ts';
import { consentFor, embeddingOf, face, guest, MODEL, sightingOf } from '../../../helpers/vault-guests.ts';

const refused = (code: string): unknown => expect.objectContaining({ code });
const found = (vault: Vault, seed: number): string[] =>
  vault.faces
    .search({ embeddings: [embeddingOf(seed)], model: MODEL, limit: 3 })
    .flatMap((candidates) => candidates.filter(({ score }) => score > 0.9).map(({ customerId }) => customerId));

describe('customers', () => {
  test('are found by their faces, now and after the next start', async () => {
    const box = await testBox();
    const vault = testVault(box);
    await vault.start();
    const { customerId, faceIds } = vault.customers.enrol({ ...guest(1), faces: [face(1), face(2)] });
    const { faceId } = vault.faces.add({ customerId, face: face(3) });
    vault.stop();
    const again = testVault(box);
    await again.start();
    expect([again.faceCount, again.rejected]).toEqual([3, 0]);
    for (const seed of [1, 2, 3]) expect(found(again, seed)).toEqual([customerId]);
    const details = again.customers.get({ customerId });
    expect(details).toMatchObject({ customerId, name: 'Guest Number 1', contact: null, consentState: 'valid', faces: 3, version: 2 });
    expect(details.faceList.map((stored) => stored.faceId).sort()).toEqual([...faceIds, faceId].sort());
    expect(details.faceList[0]).toMatchObject({ model: MODEL, quality: 0.75, hasPicture: false });
    const { faceList: _, ...view } = details;
    expect(again.customers.list({ limit: 200 })).toEqual({ items: [view], next: null });
  });

  test('the embedding of a stored face is the one that was given, and what was given is overwritten', async () => {
    const vault = testVault(await testBox());
    await vault.start();
    const given = guest(1);
    vault.customers.enrol(given);
    const [[best] = []] = vault.faces.search({ embeddings: [embeddingOf(1)], model: MODEL, limit: 1 });
    expect(best?.score).toBeCloseTo(1, 6);
    expect(given.faces[0]?.embedding.every((value) => value === 0)).toBe(true);
  });

  test('that could not be written leave nothing behind, and the next ones are', async () => {
    const box = await testBox();
    const vault = testVault(box);
    await vault.start();
    const unwritable = guest(1);
    // Too late for the protocol to refuse it, this breaks the sealing of the rows after the key was written.
    Object.defineProperty(unwritable.profile, 'name', {
      enumerable: true,
      get: () => {
        throw new Error('as if the disk were full');
      },
    });
    expect(() => vault.customers.enrol(unwritable)).toThrow('as if the disk were full');
    const { customerId } = vault.customers.enrol(guest(2));
    expect([vault.faceCount, found(vault, 1)]).toEqual([1, []]);
    vault.stop();
    const again = testVault(box);
    await again.start();
    expect(again.customers.list({ limit: 200 }).items.map((customer) => customer.customerId)).toEqual([customerId]);
    expect(again.faceCount).toBe(1);
  });

  test('that do not exist are named so', async () => {
    const vault = testVault(await testBox());
    await vault.start();
    const nobody = newId('customer');
    expect(() => vault.customers.get({ customerId: nobody })).toThrow(refused('customer_not_found'));
    expect(() => vault.faces.add({ customerId: nobody, face: face(1) })).toThrow(refused('customer_not_found'));
    expect(() => vault.customers.recordConsent({ customerId: nobody, consent: consentFor() })).toThrow(refused('customer_not_found'));
    expect(() => vault.sightings.record(sightingOf(nobody))).toThrow(refused('customer_not_found'));
  });

  test('nobody of one tenant is ever a candidate in another', async () => {
    const box = await testBox();
    const [hall, club] = [testVault(box, 'hall'), testVault(box, 'club')];
    await Promise.all([hall.start(), club.start()]);
    const inHall = hall.customers.enrol(guest(1)).customerId;
    const inClub = club.customers.enrol(guest(2)).customerId;
    const all = (vault: Vault): string[] =>
      vault.faces
        .search({ embeddings: [embeddingOf(1), embeddingOf(2)], model: MODEL, limit: 32 })
        .flatMap((list) => list.map(({ customerId }) => customerId));
    expect(new Set(all(hall))).toEqual(new Set([inHall]));
    expect(new Set(all(club))).toEqual(new Set([inClub]));
    expect(() => club.customers.get({ customerId: inHall })).toThrow(refused('customer_not_found'));
  });
});

describe('consent', () => {
  test('that is not there yet or has ended stores no face', async () => {
    const vault = testVault(await testBox());
    await vault.start();
    const now = Date.now();
    expect(() => vault.customers.enrol({ ...guest(1), consent: consentFor(-1, now) })).toThrow(refused('consent_expired'));
    expect(() => vault.customers.enrol({ ...guest(1), consent: consentFor(3_600_000, now + 120_000) })).toThrow(refused('consent_missing'));
    expect(vault.customers.list({ limit: 200 }).items).toEqual([]);
    expect(vault.faceCount).toBe(0);
  });

  test('that ends while the vault runs takes its customer out, and a new one brings him back', async () => {
    const box = await testBox();
    let now = Date.now();
    const vault = testVault(box, 'hall', () => now);
    await vault.start();
    const leaving = vault.customers.enrol({ ...guest(1), consent: consentFor(1000, now) }).customerId;
    const staying = vault.customers.enrol({ ...guest(2), consent: consentFor(5000, now) }).customerId;
    now += 999;
    expect(found(vault, 1)).toEqual([leaving]);
    now += 1;
    expect([found(vault, 1), found(vault, 2), vault.faceCount]).toEqual([[], [staying], 1]);
    expect(() => vault.faces.add({ customerId: leaving, face: face(3) })).toThrow(refused('consent_expired'));
    expect(() => vault.customers.recordConsent({ customerId: leaving, consent: consentFor(-1, now) })).toThrow(refused('consent_expired'));

    vault.customers.recordConsent({ customerId: leaving, consent: consentFor(60_000, now) });
    expect(found(vault, 1)).toEqual([leaving]);
    vault.faces.add({ customerId: leaving, face: face(3) });
    expect(found(vault, 3)).toEqual([leaving]);
    vault.stop();

    const again = testVault(box, 'hall', () => now);
    await again.start();
    expect([found(again, 1), found(again, 3)]).toEqual([[leaving], [leaving]]);
  });

  test('that ended while the box was off: nobody to find at the next start', async () => {
    const box = await testBox();
    let now = Date.now();
    const vault = testVault(box, 'hall', () => now);
    await vault.start();
    vault.customers.enrol({ ...guest(1), consent: consentFor(1000, now) });
    vault.stop();
    now += 1000;
    const again = testVault(box, 'hall', () => now);
    await again.start();
    expect([again.faceCount, found(again, 1)]).toEqual([0, []]);
    expect(again.customers.list({ limit: 200 }).items).toHaveLength(1);
  });

  test('the newest consent counts, also when it ends earlier', async () => {
    const box = await testBox();
    let now = Date.now();
    const vault = testVault(box, 'hall', () => now);
    await vault.start();
    const { customerId } = vault.customers.enrol(guest(1));
    vault.customers.recordConsent({ customerId, consent: consentFor(1000, now) });
    now += 1000;
    expect(found(vault, 1)).toEqual([]);
    vault.stop();
    const again = testVault(box, 'hall', () => now);
    await again.start();
    expect(again.faceCount).toBe(0);
  });
});

describe('sightings', () => {
  test('are kept as last reported; those of another tenant are refused, and those that contradict themselves', async () => {
    const vault = testVault(await testBox());
    await vault.start();
    const { customerId } = vault.customers.enrol(guest(1));
    const sighting = sightingOf(customerId);
    vault.sightings.record({ ...sighting, phase: 'begun', votes: 1 });
    vault.sightings.record(sighting);
    vault.sightings.record(sighting);
    expect(() => vault.sightings.record(sightingOf(customerId, 'club'))).toThrow(refused('invalid_request'));
    expect(() => vault.sightings.record(sightingOf(null))).toThrow(refused('invalid_request'));
    expect(() => vault.sightings.record(sightingOf(customerId, 'hall', 'unknown'))).toThrow(refused('invalid_request'));
    expect(vault.sightings.list({ limit: 10 })).toEqual({ items: [sighting], next: null });
  });
});

describe('start', () => {
  test.each(['../x', 'a/b', '', 'x'.repeat(300), 'A', '.', 'a b', 'ab\0'])(
    'refuses the tenant id %j before it makes any path',
    async (tenant) => {
      const box = await testBox();
      await expect(testVault({ ...box, dataDir: join(box.dataDir, 'not-made') }, tenant).start()).rejects.toThrow(refused('invalid_id'));
    },
  );

  test('a stopped vault refuses work', async () => {
    const vault = testVault(await testBox());
    expect(() => vault.customers.list({ limit: 200 })).toThrow(refused('vault_unavailable'));
    await vault.start();
    vault.stop();
    expect(() => vault.customers.enrol(guest(1))).toThrow(refused('vault_unavailable'));
  });
});
