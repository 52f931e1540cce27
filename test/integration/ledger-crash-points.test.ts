import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import type { KmsClient } from '../../cloud/kms/client.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Order } from '../../shared/fleet/command.ts';
import { testKms } from '../helpers/kms.ts';
import { ADA, LedgerPlace } from '../helpers/ledger-place.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

/** Neither is begun twice, whatever happens; the one between them waits for none. */
const ORDERS: Order[] = [
  { kind: 'restart-tenant', body: { tenant: 'a1' } },
  { kind: 'revoke-lease', body: { tenant: 'b1' } },
  { kind: 'restart-tenant', body: { tenant: 'c1' } },
];
const PATIENTLY = { timeout: 30_000, interval: 10 };
/** `npm run drill:cloud-crash` takes each step. */
const EVERY = Number(process.env.CRASH_EVERY ?? 11);

/**
 * Gives commands to a box by a control plane that dies before its step `last`, and goes on with the next process. Whoever gave a command
 * and was not answered gives it again.
 * @returns whether it died
 */
async function dieBefore(last: number, kms: Pick<KmsClient, 'call'>, restored: boolean): Promise<boolean> {
  const folder = await tempFolder();
  const [file, backup] = [join(folder, 'cloud.db'), join(folder, 'backup.db')];
  const place = await LedgerPlace.make(kms, { file });
  const { box, deeds } = await place.box();
  await place.transport.connect(box.id);
  await expect.poll(() => place.store.db.selectFrom('links').select('device').execute(), PATIENTLY).toHaveLength(1);
  await sql`PRAGMA wal_checkpoint(TRUNCATE)`.execute(place.store.db);
  await copyFile(file, backup);

  let steps = 0;
  let dead = false;
  place.beforeStep = () => {
    steps += 1;
    dead ||= steps === last;
    if (dead) throw new SecureGateError('stopped', 'This process is dead');
  };
  await place.restart();
  const { commands } = place.ledger;
  const ids = ORDERS.map(() => commands.newId());
  const give = async (n: number): Promise<void> => {
    place.at += 1;
    await place.ledger.commands.create('acme', ids[n] ?? '', ADA, { device: box.id, order: ORDERS[n] as Order });
  };
  const states = () => Promise.all(ids.map((id) => place.stateOf(id)));
  const all = ORDERS.map(() => 'SUCCEEDED');
  for (let n = 0; n < ids.length; n++) await give(n).catch(() => undefined);
  await expect.poll(async () => dead || String(await states().catch(() => '')) === String(all), PATIENTLY).toBe(true);
  await expect.poll(() => dead || box.journal.untold().length === 0, PATIENTLY).toBe(true);

  place.beforeStep = () => undefined;
  await place.restart(restored ? { file: backup } : { file });
  if (restored) await place.transport.connect(box.id);
  for (const [n, id] of ids.entries()) await place.ledger.commands.get('acme', id).catch(() => give(n));
  await expect
    .poll(async () => {
      await place.pass(1000);
      return await states();
    }, PATIENTLY)
    .toEqual(all);
  await expect.poll(() => box.journal.untold(), PATIENTLY).toEqual([]);
  const told = `dead before step ${last}`;
  expect(deeds.begun.toSorted(), told).toEqual(['restart a1', 'restart c1', 'revoke b1']);
  expect(
    deeds.begun.filter((deed) => deed.startsWith('restart')),
    told,
  ).toEqual(['restart a1', 'restart c1']);
  const { items } = await place.ledger.receipts.list('acme', { device: box.id, limit: 10 });
  expect(items.map(({ command }) => command).toSorted(), told).toEqual(ids.toSorted());
  await box.crash();
  await place.end();
  return dead;
}

test.each([
  ['and starts again', false],
  ['and its database is put back to before they were given', true],
])(
  'a control plane dies between any two steps of giving, placing, signing, sending and hearing, %s: nothing is lost or done twice',
  async (_how, restored) => {
    const kms = await testKms('software');
    let last = 1;
    while (await dieBefore(last, kms.client, restored)) last += EVERY;
    expect(last).toBeGreaterThan(100);
  },
  600_000,
);
