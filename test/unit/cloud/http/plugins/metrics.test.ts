import { expect, test } from 'vitest';
import { requireReader } from '../../../../../cloud/http/plugins/metrics.ts';

const TOKEN = Buffer.from('scrape-me');

test.each(['127.0.0.1', '127.8.9.1', '::1'])('without a token, %s may read metrics', (ip) => {
  expect(() => requireReader(undefined, ip)).not.toThrow();
});

test.each(['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::1', '1127.0.0.1', ''])('without a token, %s may not', (ip) => {
  expect(() => requireReader(undefined, ip, 'Bearer undefined')).toThrow(expect.objectContaining({ code: 'forbidden' }));
});

test('with a token, it is asked for everywhere', () => {
  expect(() => requireReader(TOKEN, '192.0.2.1', 'Bearer scrape-me')).not.toThrow();
  for (const shown of [undefined, '', 'Bearer', 'Bearer scrape-m', 'Bearer scrape-me2', 'scrape-me', 'Basic scrape-me']) {
    expect(() => requireReader(TOKEN, '127.0.0.1', shown), shown).toThrow(expect.objectContaining({ code: 'unauthenticated' }));
  }
});
