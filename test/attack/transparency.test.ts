import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { LoggedEntry } from '../../cloud/audit/audit-log.ts';
import { Reception } from '../../cloud/fleet/reception.ts';
import { listWitnesses } from '../../cloud/fleet/witness/list-witnesses.ts';
import { Witnesses } from '../../cloud/fleet/witness/witnesses.ts';
import type { StoreAddress } from '../../cloud/store/open-store.ts';
import type { ExportedEntry, LogExport } from '../../provisioning/audit/log-export.ts';
import { type SeenLog, verifyLog } from '../../provisioning/audit/verify-log.ts';
import { TILE_WIDTH } from '../../shared/crypto/merkle/tiles.ts';
import { type TestKms, testKms } from '../helpers/kms.ts';
import { LogPlace } from '../helpers/log-place.ts';
import { MemoryTransport } from '../helpers/memory-transport.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { rewriteLog } from '../helpers/rewrite-log.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { WitnessingBox } from '../helpers/witnessing-box.ts';

const PATIENTLY = { timeout: 20_000, interval: 20 };

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(async () => postgres.stop());

/** What the control plane tells an org of its log. */
async function exportOf(place: LogPlace): Promise<LogExport> {
  const { token, size } = await place.head();
  const tiles = Array.from({ length: Math.ceil(size / TILE_WIDTH) }, (_, number) => place.tree.tile({ level: 0, number }));
  const leaves = (await Promise.all(tiles)).flat().slice(0, size);
  const entries = (await place.entries()).map(toldOf);
  const cosignatures = (await listWitnesses(place.store.db, 'acme')).map((witness) => witness.token);
  const { key, changes } = await place.heads.keyOf(token);
  const keyChanges = [...changes];
  const signed = { key, keyChanges, recoveries: [], orgKeys: null, head: token, forks: await place.heads.forks() };
  return { version: 1, org: 'acme', ...signed, leaves, entries, cosignatures };
}

function toldOf({ org: _org, position: _position, at, actor, tenant, target, evidence, loggedAt, ...entry }: LoggedEntry): ExportedEntry {
  const known = { actor: actor || null, tenant: tenant || null, target: target || null, evidence: evidence || null };
  return { ...entry, ...known, at: new Date(at).toISOString(), loggedAt: new Date(loggedAt).toISOString() };
}

/** A log, a box that watches it and an auditor who checks it: both have seen its first five entries. */
class Watched {
  readonly place: LogPlace;
  readonly box: WitnessingBox;
  seen: SeenLog | undefined;
  /** What the box signed before the lie. */
  before = '';

  private constructor(place: LogPlace, box: WitnessingBox) {
    this.place = place;
    this.box = box;
  }

  static async start(database: string): Promise<Watched> {
    const kms: TestKms = await testKms('software');
    const address: StoreAddress =
      database === 'SQLite' ? { file: join(await tempFolder(), 'cloud.db') } : { postgres: await postgres.database() };
    const place = await LogPlace.open(address, kms.client);
    const transport = new MemoryTransport();
    const box = await WitnessingBox.start(transport, [place.key]);
    const courier = transport.courier();
    const { audit, tree, heads, store } = place;
    const logger = testLogger('cloud');
    const witnesses = new Witnesses({ db: store.db, courier, audit, tree, heads, now: Date.now, logger });
    const boxes = { find: async () => ({ org: 'acme', signingKeys: [box.keyHash] }) };
    const reception = new Reception({ courier, boxes, takers: [witnesses.takers], logger });
    reception.start();
    onTestFinished(() => reception.stop());
    const watched = new Watched(place, box);
    await place.act('one', 'two', 'three', 'four', 'five');
    await watched.expectFollowed();
    watched.before = box.memory.kept() ?? '';
    return watched;
  }

  async audit(change: (told: LogExport) => LogExport = (told) => told): Promise<SeenLog> {
    return (await verifyLog(change(await exportOf(this.place)), this.place.key, this.seen)).seen;
  }

  /** Box and auditor follow the log to where it is now, and the control plane has the box's signature for it. */
  async expectFollowed(): Promise<void> {
    const { token, size } = await this.place.head();
    this.seen = await this.audit();
    await this.box.ask();
    await expect.poll(() => this.box.memory.kept(), PATIENTLY).toBe(token);
    const cosigned = async () => (await this.place.store.db.selectFrom('log_cosignatures').selectAll().executeTakeFirst())?.size;
    await expect.poll(cosigned, PATIENTLY).toBe(size);
  }

  /** The box refuses what it is told now, keeps both heads, and has said why each time; it still holds the head that it had. */
  async expectBoxRefuses(...reasons: readonly string[]): Promise<void> {
    await this.place.head();
    await this.box.ask();
    await expect.poll(() => this.box.memory.accusations(), PATIENTLY).toEqual(reasons);
    // It is in the log of who was caught, too.
    const refused = async () => (await this.place.entries()).filter(({ operation }) => operation === 'audit.witness');
    await expect.poll(async () => (await refused()).map(({ actor }) => actor), PATIENTLY).toEqual(reasons.map(() => this.box.id));
    expect(this.box.memory.kept()).toBe(this.before);
  }

  async rewrite(change: (entries: LoggedEntry[]) => LoggedEntry[]): Promise<void> {
    await rewriteLog(this.place, change);
  }
}

describe.each(['SQLite', 'Postgres'])('a control plane on %s that', (database) => {
  test('only adds to its log is believed', async () => {
    const watched = await Watched.start(database);
    for (const target of ['six', 'seven']) {
      await watched.place.act(target);
      await watched.expectFollowed();
    }
    expect(watched.box.memory.accusations()).toEqual([]);
    expect(watched.seen?.entries).toBe(7);
  });

  test.each<[string, (entries: LoggedEntry[]) => LoggedEntry[], string]>([
    [
      'rewrites an entry (fork)',
      (log) => log.map((entry) => (entry.target === 'two' ? { ...entry, actor: 'usr_b' } : entry)),
      'log_forked',
    ],
    ['cuts its log off', (log) => log.slice(0, 3), 'log_truncated'],
    ['puts entries into another order', ([one, two, ...rest]) => [two, one, ...rest].filter((entry) => entry !== undefined), 'log_forked'],
    ['drops a leaf and goes on', (log) => [...log.filter(({ target }) => target !== 'two'), ...log.slice(3, 5)], 'log_forked'],
    ['puts an entry in between', (log) => [...log.slice(0, 2), ...log.slice(0, 1), ...log.slice(2)], 'log_forked'],
    ['begins anew', () => [], 'log_truncated'],
  ])('%s is caught by the box and by the auditor', async (_what, change, reason) => {
    const watched = await Watched.start(database);
    await watched.rewrite(change);
    await expect(watched.audit()).rejects.toMatchObject({ code: reason });
    await watched.expectBoxRefuses(reason);
    // It grows beyond what they have seen: they are not deceived later either.
    await watched.place.act('six', 'seven', 'eight', 'nine');
    await expect(watched.audit()).rejects.toMatchObject({ code: 'log_forked' });
    await watched.place.head();
    await watched.box.ask();
    await expect.poll(() => watched.box.memory.accusations(), PATIENTLY).toContain('log_forked');
    expect(watched.box.memory.kept()).toBe(watched.before);
  });

  test('says an earlier time of a later leaf is caught by the auditor', async () => {
    const watched = await Watched.start(database);
    await watched.place.act('six');
    await watched.rewrite((log) => log.map((entry) => (entry.target === 'six' ? { ...entry, loggedAt: entry.loggedAt - 60_000 } : entry)));
    await expect(watched.audit()).rejects.toMatchObject({ code: 'log_backdated' });
  });

  test('says that what is logged now was done long ago is caught by the auditor', async () => {
    const watched = await Watched.start(database);
    await watched.place.audit.record({ ...watched.place.entry('old'), at: watched.place.time - 3_600_000 });
    await expect(watched.audit()).rejects.toMatchObject({ code: 'log_backdated' });
  });

  test('says an earlier time of a later head is caught by both', async () => {
    const watched = await Watched.start(database);
    await watched.place.act('six');
    watched.place.time -= 3_600_000;
    await watched.place.store.db.updateTable('log').set({ at: watched.place.time }).execute();
    await expect(watched.audit()).rejects.toMatchObject({ code: 'log_backdated' });
    await watched.expectBoxRefuses('log_backdated');
  });

  test('tells an entry otherwise than it is in the log, or one that is not there, is caught by the auditor', async () => {
    const watched = await Watched.start(database);
    for (const change of [
      { outcome: 'forbidden' },
      { actor: null },
      { at: '2026-11-22T10:00:00.000Z' },
      { salt: Buffer.alloc(32).toString('base64url') },
      { evidence: 'x' },
      { leaf: 2 },
    ]) {
      const lie = (told: LogExport): LogExport => ({
        ...told,
        entries: told.entries.with(1, { ...(told.entries[1] as ExportedEntry), ...change }),
      });
      await expect(watched.audit(lie)).rejects.toMatchObject({ code: 'log_entry_rejected' });
    }
    await expect(watched.audit((told) => ({ ...told, org: 'other' }))).rejects.toMatchObject({ code: 'log_entry_rejected' });
    const twice = (told: LogExport): LogExport => ({ ...told, entries: [...told.entries.slice(0, 1), ...told.entries] });
    await expect(watched.audit(twice)).rejects.toMatchObject({ code: 'log_entry_rejected' });
  });

  test('shows a box another log than the auditor is caught by what the box has signed', async () => {
    const watched = await Watched.start(database);
    // As if the auditor looked for the first time, or had been shown the other log from the beginning.
    watched.seen = undefined;
    await watched.rewrite((log) => log.map((entry) => (entry.target === 'two' ? { ...entry, actor: 'usr_b' } : entry)));
    await expect(watched.audit()).rejects.toMatchObject({ code: 'log_forked', details: { device: watched.box.id } });
  });

  test('withholds an entry that it has told is caught by the auditor', async () => {
    const watched = await Watched.start(database);
    await watched.place.act('six');
    const withhold = (told: LogExport): LogExport => ({ ...told, entries: told.entries.filter(({ target }) => target !== 'two') });
    await expect(watched.audit(withhold)).rejects.toMatchObject({ code: 'log_entry_missing', details: { missing: 1 } });
  });

  test('is a backup of itself is caught, and is believed again once it declares what it has lost: which is said, and kept', async () => {
    const watched = await Watched.start(database);
    const { place, box } = watched;
    const backupAt = place.time;
    await place.act('six');
    await watched.expectFollowed();
    watched.before = box.memory.kept() ?? '';
    await watched.rewrite((log) => log.slice(0, 5));
    await watched.expectBoxRefuses('log_truncated');
    await place.act('other four', 'other five', 'other six');
    await watched.expectBoxRefuses('log_truncated', 'log_forked');
    // What it lost is everything since the copy was made, whatever it has added since.
    expect(await place.heads.declareFork(backupAt)).toMatchObject({ size: 5 });
    await place.act('seven');
    const { token, log, size } = await place.head();
    await box.ask();
    await expect.poll(() => box.memory.kept(), PATIENTLY).toBe(token);
    expect(box.memory.accusations()).toEqual(['log_truncated', 'log_forked', 'log_fork_declared']);
    const { forks, head } = await verifyLog(await exportOf(place), place.key, watched.seen);
    expect(forks).toMatchObject([{ log }]);
    expect(head.size).toBe(size);
  });
});
