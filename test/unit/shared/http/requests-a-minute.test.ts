import type { FastifyRequest } from 'fastify';
import { expect, test } from 'vitest';
import { networkOfRequest, requestsAMinute } from '../../../../shared/http/requests-a-minute.ts';

const from = (ip: string): FastifyRequest => ({ ip }) as FastifyRequest;

/** @returns how many were let through before the first refusal */
function untilRefused(ask: () => void, most = 1000): number {
  for (let count = 0; count < most; count++) {
    try {
      ask();
    } catch {
      return count;
    }
  }
  return most;
}

test('counts each key by itself, for a minute from its first request', () => {
  let now = 5000;
  const limit = requestsAMinute(() => now)(3, networkOfRequest);
  expect(untilRefused(() => limit(from('192.0.2.1')))).toBe(3);
  now += 20_500;
  expect(() => limit(from('192.0.2.1'))).toThrow(
    expect.objectContaining({ code: 'rate_limited', details: { perMinute: 3, retryAfterS: 40 } }),
  );
  expect(untilRefused(() => limit(from('192.0.2.2')))).toBe(3);
  now += 39_499;
  expect(
    untilRefused(() => limit(from('192.0.2.1'))),
    'a minute is not over',
  ).toBe(0);
  now += 1;
  expect(untilRefused(() => limit(from('192.0.2.1')))).toBe(3);
  expect(
    untilRefused(() => limit(from('192.0.2.2'))),
    'the minute of another goes on',
  ).toBe(0);
});

test('limits do not share their counts', () => {
  const limits = requestsAMinute(() => 0);
  const [few, many] = [limits(1, networkOfRequest), limits(5, networkOfRequest)];
  expect(untilRefused(() => few(from('192.0.2.1')))).toBe(1);
  expect(untilRefused(() => many(from('192.0.2.1')))).toBe(5);
});

test('remembers so many keys and no more, whoever comes', () => {
  let now = 0;
  const limit = requestsAMinute(() => now++)(1, networkOfRequest);
  const ipOf = (at: number): string => `10.0.${at >> 8}.${at & 255}`;
  for (let at = 0; at < 5001; at++) limit(from(ipOf(at)));
  expect(
    untilRefused(() => limit(from(ipOf(1)))),
    'counted',
  ).toBe(0);
  expect(
    untilRefused(() => limit(from(ipOf(0)))),
    'forgotten',
  ).toBe(1);
});
