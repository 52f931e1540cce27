import { expect, test } from 'vitest';
import { UsageMeter } from '../../../../edge/box/usage-meter.ts';
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
