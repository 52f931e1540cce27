import { describe, expect, test } from 'vitest';
import type { Box, Detection } from '../../../../../edge/pipeline/frame.ts';
import { Tracker, type TrackerOptions } from '../../../../../edge/pipeline/track/tracker.ts';

/** A scripted face: where it is at a time, or null while no detector can see it. */
type Face = (ms: number) => Box | null;

interface Trace {
  /** Ids that each scripted face was given, in order, without repeats. */
  readonly ids: number[][];
  /** Every id that was ever reported. */
  readonly all: Set<number>;
  readonly ended: number[];
}

const face = (centreX: number, centreY: number, width = 80, height = 100): Box => ({
  x: centreX - width / 2,
  y: centreY - height / 2,
  width,
  height,
});

/** Park and Miller's generator: the same jitter on every run. */
function jitter(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647 - 0.5;
  };
}

/** Runs scripted faces through a tracker; positions and sizes are off by up to 3 % of the face, as a detector's are. */
function follow(
  faces: readonly Face[],
  options: { fps?: number; untilMs: number; seed?: number; reverse?: boolean; tracker?: Partial<TrackerOptions> },
): Trace {
  const tracker = new Tracker(options.tracker);
  const noise = jitter(options.seed ?? 1);
  const trace: Trace = { ids: faces.map(() => []), all: new Set(), ended: [] };
  for (let ms = 0; ms <= options.untilMs; ms += 1000 / (options.fps ?? 5)) {
    const seen = faces.flatMap((at, who) => {
      const box = at(ms);
      if (!box) return [];
      const off = (): number => noise() * 0.06 * box.width;
      return [
        {
          who,
          detection: { box: { x: box.x + off(), y: box.y + off(), width: box.width + off(), height: box.height + off() }, score: 0.9 },
        },
      ];
    });
    if (options.reverse) seen.reverse();
    const detections: Detection[] = seen.map(({ detection }) => detection);
    const { tracks, ended } = tracker.update(detections, ms);
    for (const { id, detectionIndex } of tracks) {
      trace.all.add(id);
      if (detectionIndex === null) continue;
      const ids = trace.ids[seen[detectionIndex]?.who ?? -1];
      if (ids?.at(-1) !== id) ids?.push(id);
    }
    trace.ended.push(...ended.map(({ id }) => id));
  }
  return trace;
}

describe('one face', () => {
  test.each([25, 10, 5, 2])('keeps its track while it walks through the picture, %i frames a second', (fps) => {
    const { ids, all } = follow([(ms) => face(50 + 0.4 * ms, 300)], { fps, untilMs: 3000 });
    expect(ids).toEqual([[1]]);
    expect([...all]).toEqual([1]);
  });

  test('keeps its track at five frames a second when it moves by more than its width between two of them', () => {
    const { ids } = follow([(ms) => face(40 + 0.55 * ms, 300)], { untilMs: 2000 });
    expect(ids).toEqual([[1]]);
  });

  test('keeps its track while it comes closer and grows threefold', () => {
    const { ids } = follow([(ms) => face(640, 300, 50 + ms * 0.04, 60 + ms * 0.05)], { untilMs: 3000 });
    expect(ids).toEqual([[1]]);
  });

  test('keeps its track when it turns back', () => {
    const { ids } = follow([(ms) => face(300 + 200 * Math.sin(ms / 600), 300)], { untilMs: 6000 });
    expect(ids).toEqual([[1]]);
  });

  test('keeps its track over a gap of 1.4 seconds, also when it walks on meanwhile', () => {
    const hidden = (ms: number): boolean => ms > 1000 && ms < 2400;
    const { ids, ended } = follow([(ms) => (hidden(ms) ? null : face(100 + 0.15 * ms, 300))], { untilMs: 4000 });
    expect(ids).toEqual([[1]]);
    expect(ended).toEqual([]);
  });

  test('is somebody new after a gap of two seconds', () => {
    const hidden = (ms: number): boolean => ms > 1000 && ms < 3000;
    const { ids, ended } = follow([(ms) => (hidden(ms) ? null : face(300, 300))], { untilMs: 4000 });
    expect(ids).toEqual([[1, 2]]);
    expect(ended).toEqual([1]);
  });

  test('keeps its track when the stream is sampled more slowly than the longest gap', () => {
    const { ids } = follow([() => face(300, 300)], { fps: 0.25, untilMs: 20_000 });
    expect(ids).toEqual([[1]]);
  });

  test('is not followed over a leap through the whole picture', () => {
    const { ids } = follow([(ms) => face(ms < 1000 ? 100 : 1100, 300)], { untilMs: 2000 });
    expect(ids).toEqual([[1, 2]]);
  });

  test('is not taken up again by a face that comes into sight elsewhere during a gap', () => {
    const { ids } = follow([(ms) => (ms <= 1000 ? face(300, 300) : null), (ms) => (ms >= 2200 ? face(700, 300) : null)], { untilMs: 3000 });
    expect(ids).toEqual([[1], [2]]);
  });

  test('is not followed when it suddenly has four times the size', () => {
    const { ids } = follow([(ms) => (ms < 1000 ? face(300, 300, 40, 50) : face(300, 300, 160, 200))], { untilMs: 2000 });
    expect(ids).toEqual([[1, 2]]);
  });
});

describe('confirmation', () => {
  test('a single false detection is never reported', () => {
    const { all, ended } = follow([(ms) => (ms === 400 ? face(300, 300) : null)], { untilMs: 4000 });
    expect(all.size).toBe(0);
    expect(ended).toEqual([]);
  });

  test('a second sighting confirms; the track counts from the first', () => {
    const tracker = new Tracker();
    const detections = [{ box: face(300, 300), score: 0.9 }];
    expect(tracker.update(detections, 1000).tracks).toEqual([]);
    expect(tracker.update(detections, 1200).tracks).toEqual([
      { id: 1, box: face(300, 300), detectionIndex: 0, startedMs: 1000, lastSeenMs: 1200 },
    ]);
  });

  test('a face that is seen in every other frame is confirmed', () => {
    const { ids } = follow([(ms) => (ms % 400 === 0 ? face(300, 300) : null)], { untilMs: 2000 });
    expect(ids).toEqual([[1]]);
  });

  test('false detections use up no number', () => {
    const { ids } = follow([(ms) => (ms === 0 ? face(900, 500) : null), (ms) => (ms > 800 ? face(300, 300) : null)], { untilMs: 2000 });
    expect(ids[1]).toEqual([1]);
  });
});

describe('views', () => {
  test('a face out of sight is where its speed takes it, and ends where it was last seen', () => {
    const tracker = new Tracker();
    for (let ms = 0; ms <= 1000; ms += 200) tracker.update([{ box: face(100 + ms * 0.1, 300), score: 0.9 }], ms);
    const [coasting] = tracker.update([], 1500).tracks;
    expect(coasting?.detectionIndex).toBeNull();
    expect(coasting?.lastSeenMs).toBe(1000);
    expect((coasting?.box.x ?? 0) + 40).toBeGreaterThan(240);
    expect((coasting?.box.x ?? 0) + 40).toBeLessThan(260);
    const { tracks, ended } = tracker.update([], 2600);
    expect(tracks).toEqual([]);
    expect(ended).toEqual([{ id: 1, box: face(200, 300), detectionIndex: null, startedMs: 0, lastSeenMs: 1000 }]);
  });

  test('a face is expected from its first sighting on, and was just lost once', () => {
    const tracker = new Tracker();
    tracker.update([{ box: face(100, 300), score: 0.9 }], 0);
    expect(tracker.expected(200)).toEqual([{ box: face(100, 300), seen: true }]);
    tracker.update([{ box: face(120, 300), score: 0.9 }], 200);
    const [moving] = tracker.expected(400);
    expect(moving?.box.x).toBeGreaterThan(face(125, 300).x);
    expect(tracker.justLost).toBe(false);
    tracker.update([], 400);
    expect([tracker.justLost, tracker.expected(600)[0]?.seen]).toEqual([true, false]);
    tracker.update([], 600);
    expect(tracker.justLost).toBe(false);
    tracker.update([], 2000);
    expect(tracker.expected(2200)).toEqual([]);
  });

  test('flush ends every confirmed track, and the next stream starts afresh', () => {
    const tracker = new Tracker();
    const detections = [{ box: face(300, 300), score: 0.9 }];
    tracker.update(detections, 0);
    tracker.update([...detections, { box: face(900, 300), score: 0.9 }], 200);
    expect(tracker.flush().map(({ id }) => id)).toEqual([1]);
    expect(tracker.flush()).toEqual([]);
    tracker.update(detections, 0);
    expect(tracker.update(detections, 200).tracks.map(({ id }) => id)).toEqual([2]);
  });
});

describe('two faces', () => {
  const speeds = [0.08, 0.15, 0.25, 0.4];
  const seeds = [1, 2, 3, 4, 5, 6, 7, 8];

  /** Two people who walk towards each other at one height and meet in the middle at 2000 ms. */
  const crossing = (speed: number, hidden: (ms: number, who: number) => boolean): Face[] => [
    (ms) => (hidden(ms, 0) ? null : face(640 + speed * (ms - 2000), 300)),
    (ms) => (hidden(ms, 1) ? null : face(640 - speed * (ms - 2000), 306)),
  ];

  describe.each([25, 10, 5])('that cross, %i frames a second', (fps) => {
    test.each(speeds)('keep their tracks when both stay in sight, %f px/ms', (speed) => {
      for (const seed of seeds) {
        const { ids } = follow(
          crossing(speed, () => false),
          { fps, untilMs: 4000, seed },
        );
        expect(ids.toSorted()).toEqual([[1], [2]]);
      }
    });

    test.each(speeds)('keep their tracks when one hides the other while they overlap, %f px/ms', (speed) => {
      // As far as boxes overlap by more than half a face, the detector gives the one in front.
      const overlapMs = 40 / (2 * speed);
      for (const seed of seeds) {
        const hidden = (ms: number, who: number): boolean => who === 1 && Math.abs(ms - 2000) < overlapMs;
        const { ids, all } = follow(crossing(speed, hidden), { fps, untilMs: 4000, seed });
        expect(ids.toSorted()).toEqual([[1], [2]]);
        expect(all.size).toBe(2);
      }
    });

    test.each(speeds)('keep their tracks when neither is seen for 0.8 seconds, %f px/ms', (speed) => {
      for (const seed of seeds) {
        const { ids } = follow(
          crossing(speed, (ms) => Math.abs(ms - 2000) < 400),
          { fps, untilMs: 4000, seed },
        );
        expect(ids.toSorted()).toEqual([[1], [2]]);
      }
    });
  });

  test('side by side at one pace are never mixed up', () => {
    for (const seed of seeds) {
      const { ids } = follow([(ms) => face(100 + 0.3 * ms, 300), (ms) => face(190 + 0.3 * ms, 310)], { untilMs: 3000, seed });
      expect(ids.toSorted()).toEqual([[1], [2]]);
    }
  });

  test('one that comes in where the other one left is somebody new', () => {
    const { ids } = follow(
      [(ms) => (ms < 1000 ? face(100 + 0.3 * ms, 300) : null), (ms) => (ms > 1200 ? face(340 - 0.3 * (ms - 1200), 300, 120, 150) : null)],
      {
        untilMs: 2600,
      },
    );
    expect(ids[0]).toEqual([1]);
    expect(ids[1]).not.toContain(1);
  });

  test('get the same tracks whatever the order of the detections', () => {
    const faces = crossing(0.25, () => false);
    const forwards = follow(faces, { untilMs: 4000, seed: 3 });
    const again = follow(faces, { untilMs: 4000, seed: 3 });
    const backwards = follow(faces, { untilMs: 4000, seed: 3, reverse: true });
    expect(again).toEqual(forwards);
    expect(backwards.ids.map((ids) => ids.length)).toEqual([1, 1]);
  });
});
