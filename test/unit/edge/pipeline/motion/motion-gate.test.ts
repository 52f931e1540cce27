import { expect, test } from 'vitest';
import { MotionGate } from '../../../../../edge/pipeline/motion/motion-gate.ts';

const WIDTH = 1280;
const HEIGHT = 720;

/** Park and Miller's generator: the same noise on every run. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** A grey room as a camera with some noise sees it, with a square of another grey in it. */
function room(mediaMs: number, square?: { x: number; y: number; side: number; level: number }, width = WIDTH, height = HEIGHT) {
  const random = randomOf(mediaMs + 1);
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) data[i] = 100 + 12 * (random() - 0.5);
  if (square !== undefined) {
    for (let y = square.y; y < square.y + square.side; y++) {
      data.fill(square.level, (y * width + square.x) * 3, (y * width + square.x + square.side) * 3);
    }
  }
  return { width, height, data, mediaMs };
}

/** A gate that has seen nobody in the empty room at 0 ms. */
function gateOfEmptyRoom(): MotionGate {
  const gate = new MotionGate();
  gate.looked(room(0));
  return gate;
}

test('until nobody was seen every picture passes', () => {
  expect(new MotionGate().passes(room(0))).toBe(true);
});

test('noise alone does not pass', () => {
  const gate = gateOfEmptyRoom();
  for (const ms of [200, 400, 600, 800]) expect(gate.passes(room(ms))).toBe(false);
});

test.each([
  ['720p', WIDTH, HEIGHT, 36],
  ['1080p', 1920, 1080, 36],
  ['720p reduced to 320x240', 320, 240, 9],
])('the smallest face that could be recognised passes wherever it is, at %s', (_, width, height, side) => {
  const gate = new MotionGate();
  gate.looked(room(0, undefined, width, height));
  for (const [x, y] of [
    [0, 0],
    [(width >> 1) - 3, (height >> 1) - 5],
    [width - side, height - side],
  ] as const) {
    expect(gate.passes(room(200, { x, y, side, level: 115 }, width, height))).toBe(true);
  }
});

test('what comes too slowly to be noticed from one picture to the next adds up', () => {
  const gate = gateOfEmptyRoom();
  const creeping = [2, 4, 6, 8, 10, 12].map((step, index) =>
    gate.passes(room(100 * index, { x: 600, y: 300, side: 60, level: 100 + step })),
  );
  expect(creeping[0]).toBe(false);
  expect(creeping.at(-1)).toBe(true);
});

test('once a second every picture passes, also on a clock that was set back', () => {
  const gate = gateOfEmptyRoom();
  expect(gate.passes(room(999))).toBe(false);
  expect(gate.passes(room(1000))).toBe(true);
  gate.looked(room(5000));
  expect(gate.passes(room(0))).toBe(true);
});

test('tells where it changed, in pixels of the frame', () => {
  const gate = gateOfEmptyRoom();
  expect(gate.changes(room(200), { width: WIDTH, height: HEIGHT })).toEqual([]);
  const changed = room(200, { x: 320, y: 160, side: 32, level: 150 });
  expect(gate.changes(changed, { width: 2 * WIDTH, height: HEIGHT })).toEqual([
    { x: 640, y: 160, width: 64, height: 16 },
    { x: 640, y: 176, width: 64, height: 16 },
  ]);
});

test('what was looked at is known, what was not still counts as changed', () => {
  const gate = gateOfEmptyRoom();
  const frame = { width: WIDTH, height: HEIGHT };
  const changed = room(200, { x: 320, y: 160, side: 32, level: 150 });
  gate.looked(changed, [{ x: 320, y: 160, width: 16, height: 32 }], frame);
  const still = room(400, { x: 320, y: 160, side: 32, level: 150 });
  expect(gate.changes(still, frame).map(({ x, width }) => [x, width])).toEqual([
    [336, 16],
    [336, 16],
  ]);
  gate.looked(still, [{ x: 256, y: 96, width: 128, height: 96 }], frame);
  expect(gate.changes(room(600, { x: 320, y: 160, side: 32, level: 150 }), frame)).toEqual([]);
  // Parts do not put off the whole.
  expect(gate.wholeDue(room(1000))).toBe(true);
});

test('after a reset every picture passes', () => {
  const gate = gateOfEmptyRoom();
  gate.reset();
  expect(gate.passes(room(200))).toBe(true);
});

test('a lamp that goes on or off passes once, and is what the empty room looks like from then on', () => {
  const gate = gateOfEmptyRoom();
  const lit = (ms: number) => room(ms, { x: 0, y: 0, side: HEIGHT, level: 150 });
  expect(gate.passes(lit(200))).toBe(true);
  gate.looked(lit(200));
  expect(gate.passes(lit(400))).toBe(false);
  expect(gate.passes(room(600))).toBe(true);
});

test('a camera that is turned by a hair passes', () => {
  const edge = (ms: number, x: number) => room(ms, { x, y: 0, side: HEIGHT, level: 200 });
  const gate = new MotionGate();
  gate.looked(edge(0, 400));
  expect(gate.passes(edge(200, 404))).toBe(true);
});
