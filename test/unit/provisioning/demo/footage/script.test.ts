import { describe, expect, test } from 'vitest';
import { faceBoxAt, shownFace } from '../../../../../provisioning/demo/footage/face-box-at.ts';
import { APPEARANCES, CAMERAS, DURATION_MS, FRAME, GUESTS, TENANTS, tenantOf } from '../../../../../provisioning/demo/footage/script.ts';

const isGuest = ({ camera, person }: (typeof APPEARANCES)[number]): boolean => GUESTS[tenantOf(camera)].includes(person);

describe('the script of the footage', () => {
  test('two tenants with two cameras each; guests, strangers, and guests of the other tenant', () => {
    expect(TENANTS.map((tenant) => CAMERAS.filter((camera) => camera.tenant === tenant).length)).toEqual([2, 2]);
    expect(APPEARANCES.filter(isGuest).length).toBeGreaterThanOrEqual(12);
    const strangers = APPEARANCES.filter((appearance) => !isGuest(appearance));
    expect(strangers.length).toBeGreaterThanOrEqual(6);
    const known = strangers.filter(({ person }) => TENANTS.some((tenant) => GUESTS[tenant].includes(person)));
    expect(known.length).toBeGreaterThanOrEqual(3);
    expect(strangers.length - known.length).toBeGreaterThanOrEqual(2);
  });

  test('nobody is a guest of both tenants', () => {
    const [first, second] = TENANTS;
    expect(GUESTS[first].filter((person) => GUESTS[second].includes(person))).toEqual([]);
  });

  test.each(APPEARANCES)('$camera, $person: within the footage, key frames in order, a face in that photograph', (appearance) => {
    const times = appearance.keyFrames.map(({ atMs }) => atMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect([times[0], times.at(-1)]).toEqual([appearance.fromMs, appearance.toMs]);
    expect(appearance.fromMs).toBeGreaterThanOrEqual(0);
    expect(appearance.toMs).toBeLessThan(DURATION_MS);
    expect(shownFace(appearance).person).toBe(appearance.person);
  });

  test('sprites are never drawn at less than half of their size, or they would alias', () => {
    for (const { keyFrames } of APPEARANCES) {
      const heights = keyFrames.map(({ height }) => height);
      expect(Math.max(...heights) / Math.min(...heights)).toBeLessThanOrEqual(2);
    }
  });

  test('two people cross once, on one camera, and elsewhere nobody stands before anybody', () => {
    const crossings = new Set<string>();
    for (const camera of CAMERAS) {
      const cast = APPEARANCES.filter((appearance) => appearance.camera === camera.id);
      for (let ms = 0; ms < DURATION_MS; ms += 1000 / FRAME.fps) {
        const present = cast.flatMap((appearance) => faceBoxAt(appearance, ms) ?? []);
        expect(present.length).toBeLessThanOrEqual(2);
        const [a, b] = present;
        if (a !== undefined && b !== undefined && Math.max(a.x, b.x) < Math.min(a.x + a.width, b.x + b.width)) crossings.add(camera.id);
      }
    }
    expect(Array.from(crossings)).toEqual(['arena-foyer']);
  });
});

describe('faceBoxAt', () => {
  const appearance = { camera: 'arena-gate', person: 'coral', photo: 5, fromMs: 1000, toMs: 3000, brightness: 1, blur: 0 } as const;
  const keyFrames = [
    { atMs: 1000, x: 100, y: 200, height: 100 },
    { atMs: 3000, x: 300, y: 240, height: 200 },
  ];

  test('moves evenly between key frames and keeps the proportions of the face', () => {
    const { box } = shownFace({ ...appearance, keyFrames });
    const middle = faceBoxAt({ ...appearance, keyFrames }, 2000);
    const width = (150 * box.width) / box.height;
    expect(middle).toEqual({ x: 200 - width / 2, y: 220 - 75, width, height: 150 });
  });

  test('is nowhere before and after', () => {
    expect(faceBoxAt({ ...appearance, keyFrames }, 999)).toBeUndefined();
    expect(faceBoxAt({ ...appearance, keyFrames }, 3001)).toBeUndefined();
  });
});
