import { expect, test } from 'vitest';
import { Directory } from '../../../../../edge/vault/customers/directory.ts';

const found = (directory: Directory, query: string, position = 100): string[] =>
  [...directory.find(query, position)].map(({ customerId }) => customerId);

function filled(): Directory {
  const directory = new Directory();
  directory.add(1, 'anna', 'Anna Müller');
  directory.add(4, 'bert', 'Bert Muller-Lüdenscheidt');
  directory.add(9, 'zoe', 'Zoë');
  return directory;
}

test('names everybody, the newest first, from a position on', () => {
  expect(found(filled(), '')).toEqual(['zoe', 'bert', 'anna']);
  expect(found(filled(), '  ')).toEqual(['zoe', 'bert', 'anna']);
  expect(found(filled(), '', 9)).toEqual(['bert', 'anna']);
  expect(found(filled(), '', 1)).toEqual([]);
});

test('finds whoever has every word of the query in the name, whatever case and accents', () => {
  expect(found(filled(), 'mUeLLER')).toEqual([]);
  expect(found(filled(), 'MULLER')).toEqual(['bert', 'anna']);
  expect(found(filled(), 'lüden bert')).toEqual(['bert']);
  expect(found(filled(), 'zoe')).toEqual(['zoe']);
  expect(found(filled(), 'anna bert')).toEqual([]);
});

test('follows a new name, and forgets who is removed', () => {
  const directory = filled();
  directory.rename('zoe', 'Chloë');
  expect([found(directory, 'zoe'), found(directory, 'chloe')]).toEqual([[], ['zoe']]);
  directory.remove('bert');
  directory.remove('nobody');
  expect(found(directory, '')).toEqual(['zoe', 'anna']);
  directory.clear();
  expect(found(directory, '')).toEqual([]);
});
