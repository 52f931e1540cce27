import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LeaseWatch } from '../../../../../../edge/vault/keys/lease/lease-watch.ts';
import { createLogger } from '../../../../../../shared/log/create-logger.ts';

const MINUTE = 60_000;

let leftMs: number | undefined;
let ended: number;
let persisted: number;
let watch: LeaseWatch;

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  leftMs = undefined;
  ended = 0;
  persisted = 0;
  watch = new LeaseWatch({
    leases: {
      get lease() {
        return leftMs === undefined ? undefined : { leftMs };
      },
    },
    time: {
      persist: async () => {
        persisted += 1;
      },
    },
    logger: createLogger('test', { level: 'silent' }),
    onEnd: () => {
      ended += 1;
    },
  });
});
afterEach(async () => {
  await watch.stop();
  vi.useRealTimers();
});

test('the end of a lease is seen when it comes, once', async () => {
  leftMs = 1000;
  watch.look();
  await vi.advanceTimersByTimeAsync(999);
  expect(ended).toBe(0);
  leftMs = 0;
  await vi.advanceTimersByTimeAsync(1);
  expect(ended).toBe(1);
  await vi.advanceTimersByTimeAsync(10 * MINUTE);
  expect(ended).toBe(1);
});

test('a lease that ended while the machine was suspended, and its timers stood still, is seen within a minute', async () => {
  leftMs = 24 * 60 * MINUTE;
  watch.look();
  leftMs = -1;
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(ended).toBe(1);
});

test('a lease that ends sooner than the last one is seen to end sooner', async () => {
  leftMs = 50_000;
  watch.look();
  leftMs = 1000;
  watch.look();
  leftMs = 0;
  await vi.advanceTimersByTimeAsync(1000);
  expect(ended).toBe(1);
});

test('time is written down every minute and at a stop, and nothing is watched after it', async () => {
  watch.look();
  await vi.advanceTimersByTimeAsync(5 * MINUTE);
  expect([persisted, ended]).toEqual([6, 0]);
  await watch.stop();
  expect(persisted).toBe(7);
  leftMs = 0;
  await vi.advanceTimersByTimeAsync(5 * MINUTE);
  expect([persisted, ended]).toEqual([7, 0]);
});
