import { expect, onTestFinished, test } from 'vitest';
import { type Appliance, openAppliance } from '../../../../edge/appliance/open-appliance.ts';
import { systemClock } from '../../../../edge/runtime/clock.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

let now = Date.parse('2026-11-21T12:00:00Z');

async function open(): Promise<Appliance> {
  const appliance = openAppliance(await tempFolder(), { ...systemClock, now: () => now });
  onTestFinished(() => appliance.close());
  return appliance;
}

const settings = { title: 'Shop', scopes: ['people:read'], expiresAt: null };

test('a key opens its own tenant until it is revoked, and cannot be read back', async () => {
  const { apiKeys } = await open();
  const { key, record } = apiKeys.add('north', settings);
  expect(apiKeys.authenticate(key)).toMatchObject({ id: record.id, tenant: 'north', scopes: ['people:read'] });
  expect(JSON.stringify(apiKeys.list('north'))).not.toContain(key.slice(-43));
  expect(apiKeys.list('south')).toEqual([]);
  expect(() => apiKeys.revoke('south', record.id)).toThrowError(expect.objectContaining({ code: 'record_not_found' }));
  apiKeys.revoke('north', record.id);
  expect(apiKeys.authenticate(key)).toBeUndefined();
  const { revokedAt } = apiKeys.list('north')[0] ?? {};
  now += 1000;
  apiKeys.revoke('north', record.id);
  expect(apiKeys.list('north')[0]?.revokedAt, 'the first time counts').toBe(revokedAt);
});

test('a key expires to the millisecond', async () => {
  const { apiKeys } = await open();
  const { key } = apiKeys.add('north', { ...settings, expiresAt: now + 10 });
  now += 9;
  expect(apiKeys.authenticate(key)).toBeDefined();
  now += 1;
  expect(apiKeys.authenticate(key)).toBeUndefined();
});

test('one key with the secret of another is none', async () => {
  const { apiKeys } = await open();
  const [first, second] = [apiKeys.add('north', settings).key, apiKeys.add('north', settings).key];
  const mixed = [...first.split('_').slice(0, 3), second.split('_').slice(3).join('_')].join('_');
  expect(apiKeys.authenticate(mixed)).toBeUndefined();
});

test('the last use is told, written at most once a minute', async () => {
  const { apiKeys } = await open();
  const { key } = apiKeys.add('north', settings);
  const begin = now;
  const lastUsed = (): number | null | undefined => apiKeys.list('north')[0]?.lastUsedAt;
  for (const [step, expected] of [
    [0, begin],
    [59_999, begin],
    [1, begin + 60_000],
  ] as const) {
    now += step;
    apiKeys.authenticate(key);
    expect(lastUsed()).toBe(expected);
  }
});
