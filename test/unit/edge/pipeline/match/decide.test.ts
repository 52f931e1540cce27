import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Ballot } from '../../../../../edge/pipeline/frame.ts';
import { comesClose, decide } from '../../../../../edge/pipeline/match/decide.ts';

const shot = (...scores: [string, number][]): Ballot => scores.map(([customerId, score]) => ({ customerId, score }));

describe('decide', () => {
  test('names who every shot names, with the mean score', () => {
    const shots = [shot(['anna', 0.6], ['bert', 0.1]), shot(['bert', 0.2], ['anna', 0.5])];
    expect(decide(shots, 0.4)).toEqual({ outcome: 'person', customerId: 'anna', score: expect.closeTo(0.55), votes: 2 });
  });

  test('nobody without shots, or in an empty gallery', () => {
    expect(decide([], 0.4)).toEqual({ outcome: 'unknown', customerId: null, score: null, votes: 0 });
    expect(decide([[], []], 0.4)).toEqual({ outcome: 'unknown', customerId: null, score: null, votes: 2 });
  });

  test('the threshold counts for the mean: one good shot does not carry two poor ones', () => {
    const shots = [shot(['anna', 0.7]), shot(['anna', 0.2]), shot(['anna', 0.2])];
    expect(decide(shots, 0.4)).toEqual({ outcome: 'unknown', customerId: null, score: expect.closeTo(0.3667, 3), votes: 3 });
    expect(decide(shots, 0.36).outcome).toBe('person');
  });

  test('reaching the threshold exactly is enough', () => {
    expect(decide([shot(['anna', 0.5])], 0.5).outcome).toBe('person');
    expect(decide([shot(['anna', 0.499])], 0.5).outcome).toBe('unknown');
  });

  test('half of the shots is no majority', () => {
    const anna = shot(['anna', 0.8]);
    const bert = shot(['bert', 0.8]);
    expect(decide([anna, bert], 0.4).outcome).toBe('unknown');
    expect(decide([anna, anna, bert, bert], 0.4).outcome).toBe('unknown');
    expect(decide([anna, [], anna, []], 0.4).outcome).toBe('unknown');
    expect(decide([anna, bert, anna], 0.4)).toMatchObject({ outcome: 'person', customerId: 'anna', votes: 3 });
  });

  test('two customers close together are nobody', () => {
    expect(decide([shot(['anna', 0.62], ['bert', 0.6])], 0.4).outcome).toBe('unknown');
    expect(decide([shot(['anna', 0.62], ['bert', 0.56])], 0.4).outcome).toBe('person');
  });

  test('several faces of one customer do not compete with each other', () => {
    expect(decide([shot(['anna', 0.61], ['anna', 0.6], ['bert', 0.2])], 0.4)).toMatchObject({ outcome: 'person', score: 0.61 });
  });

  test('a score that is no number names nobody', () => {
    expect(decide([shot(['anna', Number.NaN])], 0.4).outcome).toBe('unknown');
    expect(decide([shot(['anna', 0.9])], Number.NaN).outcome).toBe('unknown');
  });

  test('neither the order of the shots nor that of the candidates matters', () => {
    const candidate = fc.tuple(
      fc.constantFrom('anna', 'bert', 'cleo'),
      fc.integer({ min: -100, max: 100 }).map((score) => score / 100),
    );
    const shots = fc.array(fc.array(candidate, { maxLength: 4 }), { maxLength: 5 });
    fc.assert(
      fc.property(shots, (entries) => {
        const given = decide(
          entries.map((entry) => shot(...entry)),
          0.3,
        );
        const turned = decide(entries.map((entry) => shot(...entry.toReversed())).toReversed(), 0.3);
        expect(turned.outcome).toBe(given.outcome);
        expect(turned.customerId).toBe(given.customerId);
      }),
    );
  });
});

test('somebody comes close as soon as one shot is within 0.15 of the threshold for anybody', () => {
  expect(comesClose([], 0.4)).toBe(false);
  expect(comesClose([[], shot(['anna', 0.1], ['bert', 0.24])], 0.4)).toBe(false);
  expect(comesClose([shot(['anna', 0.1], ['bert', 0.26]), shot(['anna', 0.1])], 0.4)).toBe(true);
});
