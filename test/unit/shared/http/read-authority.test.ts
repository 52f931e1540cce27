import { expect, test } from 'vitest';
import { readAuthority } from '../../../../shared/http/read-authority.ts';

test.each([
  ['gate.example', 'gate.example'],
  ['Gate.EXAMPLE:8443', 'gate.example'],
  ['gate.example.', 'gate.example'],
  ['gate.example.:443', 'gate.example'],
  ['gate.example:', 'gate.example'],
  ['localhost', 'localhost'],
  ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ['192.0.2.7:80', '192.0.2.7'],
  ['[::1]', '::1'],
  ['[2001:DB8::7]:443', '2001:db8::7'],
  ['', ''],
])('%s is the host %s', (text, host) => {
  expect(readAuthority(text)).toBe(host);
});

test.each([
  'gate.example:port',
  'gate.example:123456',
  'gate..example',
  '.gate.example',
  '.',
  '-gate.example',
  'gate_1.example',
  'user@gate.example',
  'gate.example/path',
  'gate.example#',
  'gate.example, other.example',
  'gate.example other.example',
  'b\u00fccher.example',
  '%67ate.example',
  '[gate.example]',
  '[::1',
  '[::1].example',
  '[::1%25eth0]',
  '::1',
  `${'a'.repeat(64)}.example`,
  `${'a.'.repeat(127)}example`,
])('%s is no host', (text) => {
  expect(readAuthority(text)).toBeUndefined();
});
