import { expect, test } from 'vitest';
import { InView } from '../../../../edge/box/in-view.ts';
import { newId } from '../../../../shared/ids/ids.ts';
import { sightingOf } from '../../../helpers/vault-guests.ts';

test('a guest is in view from the first report to the last, in the own venue alone', () => {
  const inView = new InView();
  const [anna, ben, elsewhere] = ['hall', 'hall', 'club'].map((tenant) => ({
    ...sightingOf(newId('customer'), tenant),
    phase: 'begun' as const,
  }));
  if (!anna || !ben || !elsewhere) throw new Error('three are there');
  for (const sighting of [anna, ben, elsewhere]) inView.take(sighting);
  expect([inView.list('hall'), inView.list('club'), inView.list('gym')]).toEqual([[anna, ben], [elsewhere], []]);
  inView.take({ ...anna, phase: 'ended' });
  expect(inView.list('hall')).toEqual([ben]);
});

test('somebody unknown, who is reported when he is gone, never is', () => {
  const inView = new InView();
  inView.take({ ...sightingOf(null, 'hall'), phase: 'ended' });
  expect(inView.list('hall')).toEqual([]);
});
