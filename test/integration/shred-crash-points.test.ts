import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { REACHED_FROM, UNDER_WAY } from '../../cloud/shred/shred-states.ts';
import type { StoreAddress } from '../../cloud/store/open-store.ts';
import { followLog } from '../../shared/audit/follow-log.ts';
import { readHead } from '../../shared/audit/log-tokens.ts';
import { newId } from '../../shared/ids/ids.ts';
import { verifyReceipt } from '../../shared/receipts/verify-receipt.ts';
import type { Place } from '../fixtures/die-in-shred.ts';
import { testOrg } from '../helpers/kms-org.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { ShredPlace } from '../helpers/shred-place.ts';
import { hasSoftHsm } from '../helpers/soft-hsm.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const PROCESS = fileURLToPath(new URL('../fixtures/die-in-shred.ts', import.meta.url));
const PATIENTLY = { timeout: 30_000, interval: 20 };
/** `npm run drill:cloud-crash` takes each step, on both databases and SoftHSM2. */
const EVERY = Number(process.env.CRASH_EVERY ?? 14);
const HSM = EVERY === 1 && hasSoftHsm ? 'softhsm' : 'software';
const DATABASES = EVERY === 1 ? ['SQLite', 'Postgres'] : ['SQLite'];

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(() => postgres.stop());

/** @returns how many steps it took; undefined where it was killed */
async function run(place: Place): Promise<number | undefined> {
  const child = spawn(process.execPath, [PROCESS, JSON.stringify(place)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  expect([code, signal]).toBeOneOf([
    [0, null],
    [null, 'SIGKILL'],
  ]);
  return code === 0 ? Number(said) : undefined;
}

async function begin(database: string) {
  const org = await testOrg(HSM, { epochsPerOrg: 10_000 });
  const address: StoreAddress =
    database === 'Postgres' ? { postgres: await postgres.database() } : { file: join(await tempFolder(), 'cloud.db') };
  const place = await ShredPlace.make(org, address);
  const keys = [await org.kms.client.call('signingKey', { use: 'audit' })];
  /** A tenant to be shredded, one whose shred is taken back, and one with a customer to be erased and an epoch that its lost box has left. */
  const prepare = async (n: number) => {
    const [gone, kept, erased] = [`gone-${n}`, `kept-${n}`, `erased-${n}`];
    for (const tenant of [gone, kept, erased]) await place.tenant(tenant);
    const [one, two] = [await place.box(gone), await place.box(erased)];
    const device = await org.enrolled();
    await org.assign(device, { tenant: kept });
    const back = await place.approved(kept, 60);
    await place.look();
    await place.shreds.cancel('acme', back);
    const erasure = await place.erasures.create('acme', erased, place.erasures.newId(), newId('user'), [newId('customer')]);
    await org.kms.client.call('createEpoch', { org: 'acme', tenant: erased, epoch: 2 });
    await org.kms.client.call('denyDevice', { device: two.box.id });
    const shred = await place.approved(gone);
    const boxes = [one, two].map(({ box }) => box.id);
    return {
      gone,
      kept,
      erased,
      one,
      two,
      device,
      shred,
      back,
      erasure: erasure.id,
      process: { address, kmsSocket: org.kms.socket, boxes },
    };
  };
  const stateOf = async (id: string): Promise<string> => (await place.shreds.get('acme', id)).state;
  return { org, place, keys, prepare, stateOf };
}

test.each(DATABASES)(
  'processes of the control plane that are killed before any step of shredding, taking back, erasing and destroying epochs, on %s: the next one ends it all, and log and receipts hold',
  async (database) => {
    const { org, place, keys, prepare, stateOf } = await begin(database);
    const { client } = org.kms;
    const diedIn = new Set<string>();
    let kept: string | undefined;
    let steps: number | undefined;
    for (let left = EVERY - 1; steps === undefined; left += EVERY) {
      const made = await prepare(left);
      steps = await run({ ...made.process, left });
      const told = `killed before step ${left}`;
      if (steps === undefined) {
        for (const id of [made.shred, made.back]) diedIn.add(await stateOf(id));
        expect(await run(made.process), told).toBeGreaterThan(0);
      }

      place.ledger.at = Date.now();
      expect(await stateOf(made.shred), told).toBe('telling');
      expect(await stateOf(made.back), told).toBe('cancelled');
      await made.device.fetchTek(client, 'acme', made.kept, 1);
      const epochs = await client.call('listEpochs', { org: 'acme', tenant: made.erased });
      expect(epochs, told).toMatchObject([{ state: 'destroyed' }, { state: 'ready' }]);
      for (const { box } of [made.one, made.two]) await place.ledger.transport.connect(box.id);
      await expect
        .poll(() => [made.one.deeds.done, made.two.deeds.done], PATIENTLY)
        .toEqual([[`shred ${made.gone}`], [`erase in ${made.erased}`]]);
      const ended = async () => {
        place.ledger.at = Date.now();
        await place.look();
        return [await stateOf(made.shred), (await place.erasures.get('acme', made.erasure)).settledAt !== null];
      };
      await expect.poll(ended, PATIENTLY).toEqual(['done', true]);

      const receipts = [await place.receipts.ofShred('acme', made.shred), await place.receipts.ofErasure('acme', made.erasure)];
      for (const receipt of receipts) {
        const { said, proved } = await verifyReceipt(receipt, keys);
        expect(said.boxes, told).toMatchObject([{ state: 'erased', word: expect.any(Object) }]);
        expect(proved?.destructions, told).toHaveLength(1);
      }
      // The log goes on where it was, through every death.
      const update = await place.heads.update(kept === undefined ? undefined : readHead(kept));
      await followLog(kept, update, keys);
      kept = update.head;
    }
    expect(steps).toBeGreaterThan(20);
    // Each state that does something was met by a death, and nothing but what the table knows.
    const all = Object.keys(REACHED_FROM);
    expect(all).toEqual(expect.arrayContaining([...diedIn]));
    if (EVERY === 1) expect([...diedIn]).toEqual(expect.arrayContaining([...UNDER_WAY]));
    console.log(`${database}, ${HSM}: killed before each ${EVERY}. of ${steps} steps, in ${[...diedIn].toSorted().join(', ')}`);
  },
  120_000 + 600_000 / EVERY,
);

test('two processes at once do each thing once', async () => {
  const { org, place, prepare, stateOf } = await begin('Postgres');
  const made = await prepare(1);
  await Promise.all([run(made.process), run(made.process)]);
  expect(await stateOf(made.shred)).toBe('telling');
  const asked = (await org.kms.audit()).filter(({ phase, operation }) => phase === 'answered' && String(operation).startsWith('destroy'));
  expect(asked.map(({ operation, tenant }) => `${operation} ${tenant}`).toSorted()).toEqual([
    `destroyEpoch ${made.erased}`,
    `destroyTenant ${made.gone}`,
  ]);
  const commands = await place.ledger.store.db.selectFrom('commands').select(['kind', 'device']).execute();
  expect(commands.map(({ kind, device }) => `${kind} ${device}`).toSorted()).toEqual(
    [`erase-customers ${made.two.box.id}`, `shred-tenant ${made.one.box.id}`].toSorted(),
  );
}, 120_000);
