import { expect, test } from 'vitest';
import { checkTarget } from '../../../../edge/webhooks/check-target.ts';

const refused = expect.objectContaining({ code: 'webhook_target_refused' });

test.each([
  'https://127.0.0.1/',
  'https://127.1/',
  'https://0x7f000001/',
  'https://2130706433/',
  'https://017700000001/',
  'https://[::1]/',
  'https://[::ffff:10.0.0.1]/',
  'https://169.254.169.254/latest/meta-data',
  'https://192.168.1.10:8443/hook',
  'http://hooks.example.com/',
  'https://user:secret@hooks.example.com/',
  'ftp://hooks.example.com/',
  'file:///etc/passwd',
  'hooks.example.com',
])('%s is not called', (url) => {
  expect(() => checkTarget(url, false)).toThrow(refused);
});

test('a public https address is', () => {
  expect(checkTarget('https://hooks.example.com:8443/a?b=c', false).hostname).toBe('hooks.example.com');
  expect(checkTarget('https://193.99.144.80/', false).hostname).toBe('193.99.144.80');
});

test('where the operator allows it a private one is as well, but none with credentials', () => {
  expect(checkTarget('http://127.0.0.1:9000/', true).port).toBe('9000');
  expect(() => checkTarget('http://user@127.0.0.1:9000/', true)).toThrow(refused);
});
