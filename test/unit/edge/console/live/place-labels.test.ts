import { expect, test } from 'vitest';
import { placeLabels } from '../../../../../edge/console/live/place-labels.ts';

const canvas = { width: 400, height: 300 };
const label = (x: number, y: number, width = 80) => ({ box: { x, y, width: 40, height: 50 }, width, height: 20 });

test('a label stands centred above its box', () => {
  expect(placeLabels([label(100, 100)], canvas, 5)).toEqual([{ x: 80, y: 75 }]);
});

test('without room above it goes below', () => {
  expect(placeLabels([label(100, 3)], canvas, 5)).toEqual([{ x: 80, y: 58 }]);
});

test('two people side by side do not cover each other’s names', () => {
  expect(placeLabels([label(100, 100), label(150, 104)], canvas, 5)).toEqual([
    { x: 80, y: 75 },
    { x: 130, y: 159 },
  ]);
});

test('it stays on the canvas beside every edge', () => {
  for (const box of [label(-30, -30), label(395, 290), label(395, -40), label(-35, 280)]) {
    const [place] = placeLabels([box], canvas, 5);
    expect(place?.x).toBeGreaterThanOrEqual(0);
    expect(place?.y).toBeGreaterThanOrEqual(0);
    expect((place?.x ?? 0) + box.width).toBeLessThanOrEqual(canvas.width);
    expect((place?.y ?? 0) + box.height).toBeLessThanOrEqual(canvas.height);
  }
});
