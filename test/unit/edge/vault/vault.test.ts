import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Vault } from '../../../../edge/vault/vault.ts';
import { newId } from '../../../../shared/ids/ids.ts';
import { testBox, testVault } from '../../../helpers/vault.ts';
import { consentFor, embeddingOf, face, guest, MODEL, sightingOf } from '../../../helpers/vault-guests.ts';

const refused = (code: string): unknown => expect.objectContaining({ code });
const found = (vault: Vault, seed: number): string[] =>
  vault
    .search({ embeddings: [embeddingOf(seed)], model: MODEL, limit: 3 })
    .flatMap((candidates) => candidates.filter(({ score }) => score > 0.9).map(({ customerId }) => customerId));

describe('customers', () => {
  test('are found by their faces, now and after the next start', async () => {
    const box = await testBox();
    const vault = testVault(box);
    await vault.start();
    const { customerId, faceIds } = vault.enrolCustomer({ ...guest(1), faces: [face(1), face(2)] });
    const { faceId } = vault.addFace(customerId, face(3));
    vault.stop();
    const again = testVault(box);
    await again.start();
    expect([again.faces, again.rejected]).toEqual([3, 0]);
    for (const seed of [1, 2, 3]) expect(found(again, seed)).toEqual([customerId]);
    const details = again.getCustomer(customerId);
    expect(details).toMatchObject({ customerId, profile: { name: 'Guest Number 1' }, consent: { noticeVersion: '2026-11' } });
    expect(details.faces.map((stored) => stored.faceId).sort()).toEqual([...faceIds, faceId].sort());
    expect(details.faces[0]).toMatchObject({ model: MODEL, quality: 0.75 });
    expect(again.listCustomers()).toEqual([{ customerId, name: 'Guest Number 1', faces: 3, consent: details.consent }]);
  });

  test('the embedding of a stored face is the one that was given, and what was given is overwritten', async () => {
    const vault = testVault(await testBox());
    await vault.start();
    const given = guest(1);
    vault.enrolCustomer(given);
    const [[best] = []] = vault.search({ embeddings: [embeddingOf(1)], model: MODEL, limit: 1 });
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
    expect(() => vault.enrolCustomer(unwritable)).toThrow('as if the disk were full');
    const { customerId } = vault.enrolCustomer(guest(2));
    expect([vault.faces, found(vault, 1)]).toEqual([1, []]);
    vault.stop();
    const again = testVault(box);
    await again.start();
    expect(again.listCustomers().map((customer) => customer.customerId)).toEqual([customerId]);
    expect(again.faces).toBe(1);
  });

  test('that do not exist are named so', async () => {
    const vault = testVault(await testBox());
    await vault.start();
    const nobody = newId('customer');
    expect(() => vault.getCustomer(nobody)).toThrow(refused('customer_not_found'));
    expect(() => vault.addFace(nobody, face(1))).toThrow(refused('customer_not_found'));
    expect(() => vault.recordConsent(nobody, consentFor())).toThrow(refused('customer_not_found'));
    expect(() => vault.recordSighting(sightingOf(nobody))).toThrow(refused('customer_not_found'));
  });

  test('nobody of one tenant is ever a candidate in another', async () => {
    const box = await testBox();
    const [hall, club] = [testVault(box, 'hall'), testVault(box, 'club')];
    await Promise.all([hall.start(), club.start()]);
    const inHall = hall.enrolCustomer(guest(1)).customerId;
    const inClub = club.enrolCustomer(guest(2)).customerId;
    const all = (vault: Vault): string[] =>
      vault
        .search({ embeddings: [embeddingOf(1), embeddingOf(2)], model: MODEL, limit: 32 })
        .flatMap((list) => list.map(({ customerId }) => customerId));
    expect(new Set(all(hall))).toEqual(new Set([inHall]));
    expect(new Set(all(club))).toEqual(new Set([inClub]));
    expect(() => club.getCustomer(inHall)).toThrow(refused('customer_not_found'));
  });
});

describe('consent', () => {
  test('that is not there yet or has ended stores no face', async () => {
    const vault = testVault(await testBox());
    await vault.start();
    const now = Date.now();
    expect(() => vault.enrolCustomer({ ...guest(1), consent: consentFor(-1, now) })).toThrow(refused('consent_expired'));
    expect(() => vault.enrolCustomer({ ...guest(1), consent: consentFor(3_600_000, now + 120_000) })).toThrow(refused('consent_missing'));
    expect(vault.listCustomers()).toEqual([]);
    expect(vault.faces).toBe(0);
  });

  test('that ends while the vault runs takes its customer out, and a new one brings him back', async () => {
    const box = await testBox();
    let now = Date.now();
    const vault = testVault(box, 'hall', () => now);
    await vault.start();
    const leaving = vault.enrolCustomer({ ...guest(1), consent: consentFor(1000, now) }).customerId;
    const staying = vault.enrolCustomer({ ...guest(2), consent: consentFor(5000, now) }).customerId;
    now += 999;
    expect(found(vault, 1)).toEqual([leaving]);
    now += 1;
    expect([found(vault, 1), found(vault, 2), vault.faces]).toEqual([[], [staying], 1]);
    expect(() => vault.addFace(leaving, face(3))).toThrow(refused('consent_expired'));
    expect(() => vault.recordConsent(leaving, consentFor(-1, now))).toThrow(refused('consent_expired'));

    vault.recordConsent(leaving, consentFor(60_000, now));
    expect(found(vault, 1)).toEqual([leaving]);
    vault.addFace(leaving, face(3));
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
    vault.enrolCustomer({ ...guest(1), consent: consentFor(1000, now) });
    vault.stop();
    now += 1000;
    const again = testVault(box, 'hall', () => now);
    await again.start();
    expect([again.faces, found(again, 1)]).toEqual([0, []]);
    expect(again.listCustomers()).toHaveLength(1);
  });

  test('the newest consent counts, also when it ends earlier', async () => {
    const box = await testBox();
    let now = Date.now();
    const vault = testVault(box, 'hall', () => now);
    await vault.start();
    const { customerId } = vault.enrolCustomer(guest(1));
    vault.recordConsent(customerId, consentFor(1000, now));
    now += 1000;
    expect(found(vault, 1)).toEqual([]);
    vault.stop();
    const again = testVault(box, 'hall', () => now);
    await again.start();
    expect(again.faces).toBe(0);
  });
});

describe('sightings', () => {
  test('of customers are kept as last reported; those of another tenant are refused, of strangers dropped', async () => {
    const vault = testVault(await testBox());
    await vault.start();
    const { customerId } = vault.enrolCustomer(guest(1));
    const sighting = sightingOf(customerId);
    vault.recordSighting({ ...sighting, phase: 'begun', votes: 1 });
    vault.recordSighting(sighting);
    vault.recordSighting(sighting);
    expect(() => vault.recordSighting(sightingOf(customerId, 'club'))).toThrow(refused('invalid_request'));
    vault.recordSighting(sightingOf(null, 'hall', 'unknown'));
    vault.recordSighting(sightingOf(null, 'hall', 'undecided'));
    expect(vault.listSightings(customerId)).toEqual([sighting]);
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
    expect(() => vault.listCustomers()).toThrow(refused('vault_unavailable'));
    await vault.start();
    vault.stop();
    expect(() => vault.enrolCustomer(guest(1))).toThrow(refused('vault_unavailable'));
  });
});
