import { expect, test } from 'vitest';
import { isLoopback } from '../../../../shared/net/is-loopback.ts';

test.each(['127.0.0.1', '127.1.2.3', '::1', '[::1]', 'localhost', 'LOCALHOST'])('%s is this machine alone', (host) => {
  expect(isLoopback(host)).toBe(true);
});

test.each(['0.0.0.0', '::', '10.0.0.7', 'box.example', '127.0.0.1.example', 'localhost.example', 'localhost\n', '', '[::1].example'])(
  '%j is not',
  (host) => {
    expect(isLoopback(host)).toBe(false);
  },
);
