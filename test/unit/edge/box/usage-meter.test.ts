import { expect, test } from 'vitest';
import { UsageMeter } from '../../../../edge/box/usage-meter.ts';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import { createLogger } from '../../../../shared/log/create-logger.ts';

const logger = createLogger('test', { level: 'silent' });

test('tells each tenant its own sums once, and again what a vault did not take', async () => {
  const told: unknown[] = [];
  let away = true;
  const meter = new UsageMeter(async (tenant, counter, by) => {
    if (tenant === 'club' && away) throw new Error('away');
    told.push([tenant, counter, by]);
  }, logger);
  meter.count('hall', 'frames', 1);
  meter.count('hall', 'frames', 2);
  meter.count('hall', 'sightings', 1);
  meter.count('club', 'frames', 5);
  await meter.flush();
  expect(told).toEqual([
    ['hall', 'frames', 3],
    ['hall', 'sightings', 1],
  ]);
  away = false;
  meter.count('club', 'frames', 1);
  await meter.flush();
  await meter.flush();
  expect(told.slice(2)).toEqual([['club', 'frames', 6]]);
});

test('forgets what a tenant used that is gone', async () => {
  let told = 0;
  const meter = new UsageMeter(async () => {
    told += 1;
    throw new SecureGateError('tenant_shredded', 'This tenant was shredded');
  }, logger);
  meter.count('hall', 'frames', 1);
  await meter.flush();
  await meter.flush();
  expect(told).toBe(1);
});
