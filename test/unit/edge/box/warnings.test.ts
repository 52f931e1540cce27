import { describe, expect, test } from 'vitest';
import { type WatchedTenant, warningsOf } from '../../../../edge/box/warnings.ts';

const NOW = Date.UTC(2026, 10, 22);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const backup = (agoMs: number, epochs = {}) => ({ at: new Date(NOW - agoMs).toISOString(), epochs });
const FRESH = backup(HOUR);

function leased(leftMs: number, renews: boolean): WatchedTenant {
  return { id: 'hall', epoch: 1, lease: { leftMs, issuedAt: NOW + leftMs - DAY, endsAt: NOW + leftMs }, renews };
}
const standalone = (epoch: number | null): WatchedTenant => ({ id: 'club', epoch, lease: null, renews: false });

describe('a lease', () => {
  test('that is near its end is told of when nobody renews it, whether its renewal fails or it comes on a stick', () => {
    expect(warningsOf([leased(6 * HOUR - 1, false)], FRESH, NOW)).toEqual([{ tenant: 'hall', reason: 'lease_ending' }]);
  });

  test('that is renewed, or has long to go, is not', () => {
    expect(warningsOf([leased(HOUR, true)], FRESH, NOW)).toEqual([]);
    expect(warningsOf([leased(6 * HOUR, false)], FRESH, NOW)).toEqual([]);
  });
});

describe('a key that is a file', () => {
  test('is told of when it was replaced after the last backup, and with it the copies that were made of it', () => {
    expect(warningsOf([standalone(2)], backup(HOUR, { club: 1 }), NOW)).toEqual([{ tenant: 'club', reason: 'key_copy_outdated' }]);
  });

  test('is not when the last backup knows it, when it is not open, or when there was no tenant then', () => {
    for (const [epoch, epochs] of [
      [2, { club: 2 }],
      [null, { club: 1 }],
      [2, {}],
    ] as const)
      expect(warningsOf([standalone(epoch)], backup(HOUR, epochs), NOW)).toEqual([]);
  });

  test('of a KMS has no copies', () => {
    expect(warningsOf([{ ...leased(DAY, true), epoch: 2 }], backup(HOUR, { hall: 1 }), NOW)).toEqual([]);
  });
});

describe('a backup', () => {
  test.each([
    ['there is none', null],
    ['the last one is older than a week', backup(7 * DAY + 1)],
  ])('is told of when %s', (_what, last) => {
    expect(warningsOf([], last, NOW)).toEqual([{ tenant: null, reason: 'backup_outdated' }]);
  });

  test('of this week is not', () => {
    expect(warningsOf([], backup(7 * DAY), NOW)).toEqual([]);
  });
});
