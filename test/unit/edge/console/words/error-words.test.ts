import { expect, test } from 'vitest';
import { errorWords } from '../../../../../edge/console/words/error-words.ts';
import { pageWords } from '../../../../../edge/console/words/page-words.ts';
import { ERROR_CODES } from '../../../../../shared/errors/codes.ts';

test('no error speaks of tenants and customers on a page of venues and people', () => {
  const words = Object.keys(ERROR_CODES).map(errorWords);
  expect(words.filter(({ title, next }) => /tenant|customer/i.test(`${title} ${next}`))).toEqual([]);
});

test('a text of the box keeps its shape', () => {
  expect(pageWords('Tenant key is missing: this tenant has 2 customers')).toBe('Venue key is missing: this venue has 2 people');
  expect(pageWords('No customerId given')).toBe('No customerId given');
});
