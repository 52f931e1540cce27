import { expect, test } from 'vitest';
import { foldName } from '../../../../../edge/vault/customers/fold-name.ts';

test.each([
  ['Zoë', 'ZOE'],
  ['Zoë', 'Zoe\u0308'],
  ['JÜRGEN Groß', 'jurgen gross'],
  ['Søren Kjær', 'Soren Kjaer'],
  ['Łukasz Đorđević', 'lukasz dordevic'],
  ['İbrahim Işık', 'ibrahim isik'],
  ['Þóra Sæmundsdóttir', 'thora saemundsdottir'],
  ['ΣΟΦΊΑΣ', 'σοφιας'],
  ['Ａｎｎａ\u3000Ｂ', ' anna  b '],
])('%j is looked for as %j', (name, typed) => {
  expect(foldName(name)).toBe(foldName(typed));
});

test.each([
  ['किरण', 'करण'],
  ['Anna', 'Ana'],
])('%j stays another name than %j', (name, other) => {
  expect(foldName(name)).not.toBe(foldName(other));
});
