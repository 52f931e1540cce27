import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { type Appliance, openAppliance } from '../../../../edge/appliance/open-appliance.ts';
import { systemClock } from '../../../../edge/runtime/clock.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const DAY_MS = 24 * 3_600_000;
const [content, other] = [randomBytes(32), randomBytes(32)];

test('what a request makes is known before it is made, and over a restart', async () => {
  const folder = await tempFolder();
  const inAppliance = <Result>(use: (results: Appliance['idempotency']) => Result): Result => {
    const appliance = openAppliance(folder);
    try {
      return use(appliance.idempotency);
    } finally {
      appliance.close();
    }
  };
  inAppliance((results) => results.reserve(other, { content, result: 'rec_b' }));
  inAppliance((results) => results.reserve(content, { content, result: 'rec_a' }));
  expect(inAppliance((results) => results.find(content))).toEqual({ content, result: 'rec_a', settled: false });
  inAppliance((results) => results.settle(content));
  expect(inAppliance((results) => results.find(content))).toEqual({ content, result: 'rec_a', settled: true });
  inAppliance((results) => results.release(other));
  expect(inAppliance((results) => results.find(other))).toBeUndefined();
});

test('is forgotten after a day, and goes with the next request', async () => {
  const folder = await tempFolder();
  let now = 0;
  const appliance = openAppliance(folder, { ...systemClock, now: () => now });
  appliance.idempotency.reserve(content, { content, result: 'rec_a' });
  now = DAY_MS;
  expect(appliance.idempotency.find(content)).toBeUndefined();
  appliance.idempotency.reserve(other, { content, result: 'rec_b' });
  appliance.close();
  expect(read(folder).prepare('SELECT result FROM idempotency').pluck().all()).toEqual(['rec_b']);
});

test('a data folder of a newer version is left alone', async () => {
  const folder = await tempFolder();
  openAppliance(folder).close();
  const newer = new Database(join(folder, 'appliance.db'));
  newer.pragma('user_version = 99');
  newer.close();
  expect(() => openAppliance(folder)).toThrow(expect.objectContaining({ code: 'data_folder_newer' }));
});

function read(folder: string): Database.Database {
  return new Database(join(folder, 'appliance.db'), { readonly: true });
}
