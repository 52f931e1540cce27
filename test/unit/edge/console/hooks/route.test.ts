import { expect, test } from 'vitest';
import { hrefOf, parseRoute } from '../../../../../edge/console/hooks/route.ts';

test('an address leads back to where it was made', () => {
  const href = hrefOf('people', { tenant: 'alpha', customer: 'cus_x', camera: undefined, outcome: '' });
  expect(parseRoute(href)).toEqual({ page: 'people', params: { tenant: 'alpha', customer: 'cus_x' } });
});

test('whatever is no page leads to the live one', () => {
  for (const hash of ['', '#', '#/', '#/nowhere?x=1', '#link']) expect(parseRoute(hash).page).toBe('live');
});
