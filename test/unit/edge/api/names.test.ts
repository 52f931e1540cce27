import { expect, test } from 'vitest';
import { Names } from '../../../../edge/api/names.ts';
import type { VaultClient } from '../../../../edge/vault/client.ts';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';

/** Names as they are now, and what was asked for so far. */
function namesOf(people: Map<string, string>, allowed = true) {
  const asked: (readonly string[])[] = [];
  const clock = { now: 0 };
  const vault = {
    customerNames: async (ids: readonly string[]) => {
      asked.push(ids);
      if (people.size === 0) throw new SecureGateError('vault_unavailable', 'The vault is away');
      return new Map([...people].filter(([id]) => ids.includes(id)));
    },
  } as Partial<VaultClient> as VaultClient;
  return { names: new Names(vault, allowed, () => clock.now), asked, clock };
}

test('many people are one question, each asked for once, and nobody is none', async () => {
  const { names, asked } = namesOf(new Map([['cus_a', 'Anna']]));
  expect(await names.of([null])).toEqual(new Map());
  expect(asked).toEqual([]);
  expect(await names.of(['cus_a', null, 'cus_gone', 'cus_a'])).toEqual(new Map([['cus_a', 'Anna']]));
  expect(await names.of(['cus_gone', 'cus_a'])).toEqual(new Map([['cus_a', 'Anna']]));
  expect(asked).toEqual([['cus_a', 'cus_gone']]);
});

test('a name is asked for anew after five seconds: a changed one shows then, and a removed one is gone', async () => {
  const people = new Map([
    ['cus_a', 'Anna'],
    ['cus_b', 'Ben'],
  ]);
  const { names, clock } = namesOf(people);
  await names.of(['cus_a', 'cus_b']);
  people.set('cus_a', 'Annabel');
  people.delete('cus_b');
  clock.now = 4999;
  expect(await names.of(['cus_a', 'cus_b'])).toEqual(
    new Map([
      ['cus_a', 'Anna'],
      ['cus_b', 'Ben'],
    ]),
  );
  clock.now = 5000;
  expect(await names.of(['cus_a', 'cus_b'])).toEqual(new Map([['cus_a', 'Annabel']]));
});

test('nobody is asked for whoever may not read people, and none has a name while the vault is away', async () => {
  const blind = namesOf(new Map([['cus_a', 'Anna']]), false);
  expect([await blind.names.of(['cus_a']), blind.asked]).toEqual([new Map(), []]);
  expect(await namesOf(new Map()).names.of(['cus_a'])).toEqual(new Map());
});
