import { expect, test } from 'vitest';
import { partsToLookAt } from '../../../../../edge/pipeline/detect/parts-to-look-at.ts';

const picture = { width: 1280, height: 720 };
/** Of 128 by 96 pixels; the last row is half as high. */
const fields = { width: 10, height: 7.5 };
const face = (x: number, y: number, seen = true) => ({ box: { x, y, width: 100, height: 140 }, seen });
const change = (x: number, y: number, width = 16, height = 16) => ({ x, y, width, height });

test('where nobody is expected and nothing changed there is nothing to be looked at', () => {
  expect(partsToLookAt([], [], picture, fields)).toEqual([]);
});

test('a face has room of half its sides around it, in whole fields', () => {
  expect(partsToLookAt([], [face(600, 300)], picture, fields)).toEqual([{ x: 512, y: 192, width: 256, height: 384 }]);
});

test('what changed has room of half a field around it', () => {
  expect(partsToLookAt([change(500, 300)], [], picture, fields)).toEqual([{ x: 384, y: 192, width: 256, height: 192 }]);
});

test('no part reaches beyond the picture, and whoever is expected there is looked for nowhere', () => {
  expect(partsToLookAt([], [face(-60, 640)], picture, fields)).toEqual([{ x: 0, y: 480, width: 128, height: 240 }]);
  expect(partsToLookAt([], [face(-400, 300), face(600, 900)], picture, fields)).toEqual([]);
});

test('what overlaps is one part, what lies apart is not', () => {
  const parts = partsToLookAt([change(900, 60), change(930, 90), change(60, 650)], [face(150, 100)], picture, fields);
  expect(parts).toEqual([
    { x: 0, y: 0, width: 384, height: 384 },
    { x: 768, y: 0, width: 256, height: 192 },
    { x: 0, y: 576, width: 256, height: 144 },
  ]);
});

test('what changes around a face that is followed is its own body; what changes beside that is not', () => {
  const own = [change(500, 250, 300), change(520, 400, 240), change(540, 560, 180)];
  const alone = partsToLookAt([], [face(600, 300)], picture, fields);
  expect(partsToLookAt(own, [face(600, 300)], picture, fields)).toEqual(alone);
  expect(partsToLookAt([change(500, 250, 600)], [face(600, 300)], picture, fields)).toEqual([{ x: 512, y: 192, width: 768, height: 384 }]);
  expect(partsToLookAt([change(600, 40)], [face(600, 300)], picture, fields)).toHaveLength(2);
});

test('what changes around where a face is only expected may be the face', () => {
  const parts = partsToLookAt([change(720, 350)], [face(600, 300, false)], picture, fields);
  expect(parts).toEqual([{ x: 512, y: 192, width: 384, height: 384 }]);
});

test('parts that would cost as much as the whole are the whole', () => {
  expect(partsToLookAt([change(100, 0, 700, 720)], [], picture, fields)).toBe('whole');
  expect(partsToLookAt([change(0, 0), change(1260, 700)], [], picture, fields)).toHaveLength(2);
});
