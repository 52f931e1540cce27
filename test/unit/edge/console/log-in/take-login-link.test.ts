import { expect, test } from 'vitest';
import { takeLoginLink } from '../../../../../edge/console/log-in/take-login-link.ts';

function open(hash: string): { link: string | undefined; replaced: string[] } {
  const replaced: string[] = [];
  const link = takeLoginLink({ hash, pathname: '/' }, { replaceState: (_data, _unused, url) => replaced.push(url) });
  return { link, replaced };
}

test('the link is taken and the address is without it', () => {
  expect(open('#link=sgl_abc-123')).toEqual({ link: 'sgl_abc-123', replaced: ['/'] });
});

test('any other address stays as it is', () => {
  expect(open('#/people?tenant=alpha')).toEqual({ link: undefined, replaced: [] });
  expect(open('')).toEqual({ link: undefined, replaced: [] });
});
