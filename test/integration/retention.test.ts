import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore, type StoreAddress } from '../../cloud/store/open-store.ts';
import type { Order } from '../../shared/fleet/command.ts';
import { newUlid } from '../../shared/ids/ulid.ts';
import { testKms } from '../helpers/kms.ts';
import { ADA, LedgerPlace } from '../helpers/ledger-place.ts';
import type { Message } from '../helpers/memory-transport.ts';
import { renew, restart, revoke } from '../helpers/orders.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { COMMAND_DAYS } from '../helpers/start-ledger.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const DAY = 86_400_000;
const PATIENTLY = { timeout: 20_000 };

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(async () => postgres.stop());

describe.each(['SQLite', 'Postgres'])('what is not kept any longer, on %s', (database) => {
  const freshStore = async (): Promise<StoreAddress> =>
    database === 'SQLite' ? { file: join(await tempFolder(), 'cloud.db') } : { postgres: await postgres.database() };

  async function makePlace(): Promise<LedgerPlace> {
    const kms = await testKms('software');
    return await LedgerPlace.make(kms.client, await freshStore());
  }

  /** Gives commands and waits until the box's last words are kept on both sides. @returns their ids */
  async function doAll(
    place: LedgerPlace,
    { id: device, journal }: { id: string; journal: { untold(): readonly string[] } },
    orders: readonly Order[],
  ) {
    const ids: string[] = [];
    for (const order of orders) {
      const id = await place.give(device, order);
      await expect.poll(() => place.stateOf(id), PATIENTLY).toBe('SUCCEEDED');
      ids.push(id);
    }
    await expect.poll(() => journal.untold(), PATIENTLY).toEqual([]);
    return ids;
  }

  const commandsOf = async (place: LedgerPlace): Promise<string[]> =>
    (await place.ledger.commands.list('acme', { limit: 200 })).items.map(({ id }) => id);
  const toldOf = async (place: LedgerPlace): Promise<string[]> =>
    (await place.ledger.receipts.list('acme', { limit: 200 })).items.map(({ command }) => command);
  const messages = (place: LedgerPlace, channel: string): Message[] =>
    place.transport.sent.filter((message) => message.channel === channel);

  /** What somebody can say again for ever, until the control plane has heard all of it. */
  async function sayAgain(place: LedgerPlace, said: readonly Message[]): Promise<void> {
    for (const message of said) place.transport.inject(message);
    await place.transport.untilQuiet();
  }

  test('commands that are settled and words on them are removed; what proves a deletion, what is open and where each box stands is not', async () => {
    const place = await makePlace();
    const { box, deeds } = await place.box();
    await place.transport.connect(box.id);
    const [first, erasing, last] = await doAll(place, box, [
      renew('a1'),
      { kind: 'erase-customers', body: { tenant: 'hall', erasure: newUlid(place.at), customers: [`cus_${'a'.repeat(26)}`] } },
      revoke('a1'),
      restart('b1'),
    ]).then(([renewed, erased, _revoked, restarted]) => [renewed, erased, restarted] as const);
    const { db } = place.store;
    await prove(place, erasing ?? '', box.id);
    place.transport.cut(box.id);
    const open = await place.give(box.id, revoke('c1'));
    // It gets no place among the others before its time.
    const hours = (n: number): string => new Date(place.at + n * 3_600_000).toISOString();
    const cancelled = await place.give(box.id, renew('c2'), { notBefore: hours(1), expiresAt: hours(2) });
    await place.ledger.commands.cancel('acme', cancelled);

    place.at += (COMMAND_DAYS - 1) * DAY;
    await place.sweep();
    expect(await commandsOf(place)).toHaveLength(6);
    place.at += 2 * DAY;
    await place.sweep();
    expect(await commandsOf(place)).toEqual([erasing, last, open]);
    expect(await toldOf(place)).toEqual([erasing]);
    expect((await db.selectFrom('audit').select('position').where('operation', '=', 'commands.settle').execute()).length).toBe(4);
    await expect(sql`DELETE FROM receipts`.execute(db)).rejects.toThrow('kept for ever');

    // The box is what it was: it goes on in the same incarnation, and says nothing again.
    const before = messages(place, 'acks').length;
    await place.transport.connect(box.id);
    await expect.poll(() => place.stateOf(open), PATIENTLY).toBe('SUCCEEDED');
    const [next] = await doAll(place, box, [renew('d1')]);
    expect(await place.ledger.commands.get('acme', next ?? '')).toMatchObject({ incarnation: 1, sequence: 3 });
    expect(
      messages(place, 'acks')
        .slice(before)
        .map(({ payload }) => commandIn(payload)),
    ).not.toContain(first);
    expect(deeds.begun).toEqual(['renew a1', 'erase in hall', 'revoke a1', 'restart b1', 'revoke c1', 'renew d1']);
  });

  test('a command that was forgotten, repeated by anybody, is not done again; a word that was forgotten, said again, is no new one', async () => {
    const place = await makePlace();
    const { box, deeds } = await place.box();
    await place.transport.connect(box.id);
    const putBack = box.copyDisk();
    const [first, , urgent] = await doAll(place, box, [renew('a1'), restart('b1'), revoke('a1')]);
    const [given, words] = [messages(place, 'commands'), messages(place, 'acks')];
    const logged = async (): Promise<unknown[]> => await place.store.db.selectFrom('audit').select('evidence').execute();

    place.at += (COMMAND_DAYS + 1) * DAY;
    await place.sweep();
    expect(await toldOf(place)).toEqual([]);
    await doAll(place, box, [renew('c1')]);
    // The box has forgotten what has ended long ago, and not what never ends.
    expect([box.journal.find(first ?? ''), box.journal.find(urgent ?? '')?.state]).toEqual([undefined, 'SUCCEEDED']);
    const before = await logged();
    await sayAgain(place, given);
    await sayAgain(place, words);
    expect(await logged()).toEqual(before);
    expect(await toldOf(place)).toHaveLength(1);

    // The same with a disk from before all of it: it remembers none of them.
    await box.crash();
    putBack();
    await box.start();
    await place.transport.connect(box.id);
    await place.transport.untilQuiet();
    const [next] = await doAll(place, box, [renew('d1')]);
    await sayAgain(
      place,
      given.filter(({ payload }) => commandIn(payload) !== urgent),
    );
    await doAll(place, box, [renew('e1')]);
    expect(await place.ledger.commands.get('acme', next ?? '')).toMatchObject({ incarnation: 2, sequence: 1 });
    expect(deeds.begun).toEqual(['renew a1', 'restart b1', 'revoke a1', 'renew c1', 'renew d1', 'renew e1']);
  });

  test('a box that was away for longer than anything is kept says what it did, and its hello begins no other incarnation', async () => {
    const place = await makePlace();
    const { box } = await place.box();
    await place.transport.connect(box.id);
    await doAll(place, box, [renew('a1'), renew('a2')]);
    place.transport.prompt = false;
    const unheard = await place.give(box.id, restart('b1'));
    await place.transport.deliverNext('commands');
    place.transport.cut(box.id);
    await expect.poll(() => box.journal.find(unheard)?.state, PATIENTLY).toBe('SUCCEEDED');
    while (place.transport.onWay.length > 0) place.transport.drop(0);
    place.transport.prompt = true;
    await place.pass((COMMAND_DAYS + 1) * DAY);
    expect(await place.stateOf(unheard)).toBe('TIMED_OUT');
    place.at += (COMMAND_DAYS + 1) * DAY;
    await place.sweep();
    for (let times = 0; times < 3; times++) await place.transport.connect(box.id);
    await expect.poll(() => box.journal.untold(), PATIENTLY).toEqual([]);
    const [next] = await doAll(place, box, [renew('c1')]);
    expect(await place.ledger.commands.get('acme', next ?? '')).toMatchObject({ incarnation: 1, sequence: 4 });
    expect(await toldOf(place)).toEqual([unheard, next]);
  });

  test('thousands of them are removed by several processes at once, and nobody who writes meanwhile fails', async () => {
    const address = await freshStore();
    const kms = await testKms('software');
    const place = await LedgerPlace.make(kms.client, address);
    const { box } = await place.box();
    const { commands } = place.ledger;
    const many = Array.from({ length: 1100 }, (_, n) => ({ id: newUlid(place.at + n), device: box.id, order: renew('a1') }));
    await commands.createAll('acme', ADA, many);
    place.at += 2 * DAY;
    while ((await place.store.db.selectFrom('commands').select('id').where('state', '=', 'QUEUED').limit(1).execute()).length > 0) {
      await place.ledger.look();
    }
    place.at += COMMAND_DAYS * DAY;
    const other = await openStore(address);
    const kept = await place.give(box.id, renew('b1'));
    const [, , given] = await Promise.all([place.sweep(), place.sweep(other), place.give(box.id, renew('b2'))]);
    await other.close();
    await place.sweep();
    expect(await commandsOf(place)).toEqual([kept, given]);
  });
});

/** The command that a message is about, as it stands in its token. */
function commandIn(payload: Buffer): string {
  const claims = JSON.parse(Buffer.from(payload.toString().split('.')[1] ?? '', 'base64url').toString()) as {
    jti?: string;
    command?: string;
  };
  return claims.jti ?? claims.command ?? '';
}

/** An erasure rests on what a box said of a command. */
async function prove({ store: { db }, at }: LedgerPlace, command: string, device: string): Promise<void> {
  const erasure = newUlid(at);
  await sql`INSERT INTO tenants (org, id, name, policies, state, version, created_at) VALUES ('acme', 'hall', '', '{"sightingsDays":7}', 'active', 1, 1)`.execute(
    db,
  );
  const row = { id: erasure, org: 'acme', tenant: 'hall', customers: '[]', requested_by: ADA, requested_at: at, settled_at: at };
  await db.insertInto('erasures').values(row).execute();
  await db.insertInto('erasure_boxes').values({ erasure, device, command }).execute();
}
