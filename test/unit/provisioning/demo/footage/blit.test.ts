import { describe, expect, test } from 'vitest';
import { blit } from '../../../../../provisioning/demo/footage/blit.ts';
import type { Sprite } from '../../../../../provisioning/demo/footage/sprite.ts';

const SIZE = { width: 64, height: 48 };
const GREY = 100;

const frame = (): Buffer => Buffer.alloc((SIZE.width * SIZE.height * 3) / 2, GREY);

/** 20x20 of one colour; its face is the middle 10x10. */
function sprite(opacity: number): Sprite {
  const plane = (value: number): Uint8Array => new Uint8Array(400).fill(value);
  return {
    width: 20,
    height: 20,
    yuv: { y: plane(200), u: plane(60), v: plane(180) },
    alpha: plane(opacity),
    face: { x: 10, y: 10, height: 10 },
  };
}

/** Left, top, right and bottom of what is not background, and its value in the middle. */
function painted(plane: Buffer, width: number): { edges: number[]; value: number | undefined } {
  const spots = Array.from(plane).flatMap((value, at) => (value === GREY ? [] : [{ x: at % width, y: Math.floor(at / width) }]));
  const xs = spots.map(({ x }) => x);
  const ys = spots.map(({ y }) => y);
  const edges = [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1];
  return {
    edges,
    value: plane[Math.floor(((edges[1] ?? 0) + (edges[3] ?? 0)) / 2) * width + Math.floor(((edges[0] ?? 0) + (edges[2] ?? 0)) / 2)],
  };
}

describe('blit', () => {
  test('puts the face where the box is, in all three planes', () => {
    const picture = frame();
    blit(picture, SIZE, sprite(255), { x: 20, y: 16, width: 8, height: 10 });
    const luma = SIZE.width * SIZE.height;
    // The face's centre is (24, 21), the sprite reaches 10 to each side.
    expect(painted(picture.subarray(0, luma), 64)).toEqual({ edges: [14, 11, 34, 31], value: 200 });
    expect(painted(picture.subarray(luma, luma * 1.25), 32)).toMatchObject({ value: 60 });
    expect(painted(picture.subarray(luma * 1.25), 32)).toMatchObject({ value: 180 });
  });

  test('scales with the height of the box', () => {
    const picture = frame();
    blit(picture, SIZE, sprite(255), { x: 30, y: 20, width: 4, height: 6 });
    expect(painted(picture.subarray(0, 3072), 64).edges).toEqual([26, 17, 38, 29]);
  });

  test('mixes by opacity', () => {
    const picture = frame();
    blit(picture, SIZE, sprite(128), { x: 20, y: 16, width: 8, height: 10 });
    expect(painted(picture.subarray(0, 3072), 64).value).toBe(150);
  });

  test('leaves out what lies beside the picture', () => {
    const picture = frame();
    blit(picture, SIZE, sprite(255), { x: -4, y: 40, width: 8, height: 10 });
    expect(painted(picture.subarray(0, 3072), 64).edges).toEqual([0, 35, 10, 48]);
    const away = frame();
    blit(away, SIZE, sprite(255), { x: -200, y: 500, width: 8, height: 10 });
    expect(away.equals(frame())).toBe(true);
  });
});
