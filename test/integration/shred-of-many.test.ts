import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { commandClaimsSchema } from '../../shared/fleet/command.ts';
import { changedKeys, keptKeys } from '../helpers/kept-keys.ts';
import { testOrg } from '../helpers/kms-org.ts';
import { ShredPlace } from '../helpers/shred-place.ts';
import { hasSoftHsm } from '../helpers/soft-hsm.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const PATIENTLY = { timeout: 30_000, interval: 20 };
const BOXES = 10;

async function begin(driver: 'softhsm' | 'software'): Promise<ShredPlace> {
  return await ShredPlace.make(await testOrg(driver), { file: join(await tempFolder(), 'cloud.db') });
}

describe.runIf(hasSoftHsm)('of many tenants in an HSM', () => {
  test('one is shredded, and the others cost nothing: none of their keys is wrapped anew, and their leases go on', async () => {
    const place = await begin('softhsm');
    const { kms } = place.org;
    const tenants = ['club', 'foyer', 'arena'];
    for (const tenant of tenants) await place.tenant(tenant);
    const device = await place.org.enrolled();
    for (const tenant of tenants) await place.org.assign(device, { tenant });
    const teks = await Promise.all(['foyer', 'arena'].map((tenant) => device.fetchTek(kms.client, 'acme', tenant, 1)));
    const before = keptKeys(kms);

    const id = await place.approved('club');
    await place.look();
    expect((await place.shreds.get('acme', id)).state).toBe('telling');
    const after = keptKeys(kms);
    expect(changedKeys(before.teks, after.teks)).toEqual({ changed: ['acme/club/1'], gone: [] });
    // The cell, and the number of the records that was counted before.
    expect(changedKeys(before.objects, after.objects)).toEqual({ changed: [], gone: [expect.any(String), expect.any(String)] });
    expect(await Promise.all(['foyer', 'arena'].map((tenant) => device.fetchTek(kms.client, 'acme', tenant, 1)))).toEqual(teks);
    await expect(device.fetchTek(kms.client, 'acme', 'club', 1)).rejects.toMatchObject({ code: 'tenant_destroyed' });
  });
});

test('many boxes are told of a shred in few signatures of the HSM, and before all that waits for them', async () => {
  const place = await begin('software');
  const { ledger, org } = place;
  await place.tenant('club');
  const boxes: Awaited<ReturnType<ShredPlace['box']>>[] = [];
  for (let made = 0; made < BOXES; made += 1) boxes.push(await place.box('club'));
  const order = { kind: 'renew-lease', body: { tenant: 'hall' } } as const;
  for (const { box } of boxes) await ledger.give(box.id, order);
  const id = await place.approved('club');
  await place.look();
  const signed = async (): Promise<number> =>
    (await org.kms.audit()).filter(({ operation, phase, use }) => operation === 'sign' && phase === 'answered' && use === 'commands')
      .length;
  const before = await signed();
  await Promise.all(boxes.map(({ box }) => ledger.transport.connect(box.id)));
  await expect
    .poll(async () => (await place.shreds.get('acme', id)).boxes.filter(({ state }) => state === 'erased').length, PATIENTLY)
    .toBe(BOXES);
  await expect.poll(() => boxes.filter(({ deeds }) => deeds.done.length === 2).length, PATIENTLY).toBe(BOXES);

  const told = Map.groupBy(
    ledger.transport.sent.filter(({ channel }) => channel === 'commands'),
    ({ device }) => device,
  );
  const kindsOf = (device: string): string[] =>
    (told.get(device) ?? []).map(({ payload }) => commandClaimsSchema.parse(decodeJwt(payload.toString())).order.kind);
  for (const { box } of boxes) expect(kindsOf(box.id).slice(0, 2)).toEqual(['shred-tenant', 'renew-lease']);
  // Each for itself, they would be twice as many as there are boxes.
  expect((await signed()) - before).toBeLessThan(BOXES);
});
