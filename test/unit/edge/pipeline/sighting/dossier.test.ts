import { expect, test } from 'vitest';
import type { FaceShot } from '../../../../../edge/pipeline/frame.ts';
import { Dossier, wipe } from '../../../../../edge/pipeline/sighting/dossier.ts';
import { sightingSchema } from '../../../../../shared/messages/events.ts';

const identity = { id: 'sig_x', tenant: 'north', camera: 'door', track: 7, models: { detector: 'd', landmarks: 'l', embedder: 'e' } };
const box = { x: 10, y: 20, width: 100, height: 120 };
const start = { at: 1_700_000_000_000, mediaMs: 2000, monotonic: 500 };
const later = (ms: number) => ({ at: start.at + ms, mediaMs: start.mediaMs + ms, monotonic: start.monotonic + ms });

function shot(overall: number): FaceShot {
  const point = { x: 0, y: 0 };
  return {
    box: { ...box, x: overall * 100 },
    points: [point, point, point, point, point],
    quality: { sizePx: 100, sharpness: 1, yaw: 0, pitch: 0, roll: 0, cutOff: 0, overall },
    rejections: [],
    aligned: { width: 112, height: 112, data: new Uint8Array(112 * 112 * 3).fill(9) },
  };
}

const isWiped = ({ aligned }: FaceShot): boolean => aligned.data.every((byte) => byte === 0);

test('three good shots make a vote, the best ones are kept and the others overwritten', () => {
  const dossier = new Dossier(identity, start, box);
  const shots = [0.2, 0.9, 0.5, 0.7].map(shot);
  for (const [index, each] of shots.entries()) {
    expect(dossier.voteDue).toBe(index >= 3);
    dossier.offer(each, later(index * 200));
  }
  expect(dossier.voteDue).toBe(true);
  expect(dossier.takeShots().map(({ quality }) => quality.overall)).toEqual([0.9, 0.7, 0.5]);
  expect(shots.map(isWiped)).toEqual([true, false, false, false]);
  expect(dossier.voteDue).toBe(false);
});

test('a recognised track asks for nothing more, and no later verdict takes the name away', () => {
  const dossier = new Dossier(identity, start, box);
  dossier.conclude({ outcome: 'person', customerId: 'cus_a', score: 0.7, votes: 3 });
  dossier.conclude({ outcome: 'unknown', customerId: null, score: 0.2, votes: 6 });
  expect(dossier.wantsLook(later(60_000))).toBe(false);
  expect(dossier.toSighting('ended')).toMatchObject({ outcome: 'person', customerId: 'cus_a', score: 0.7, votes: 3 });
});

test('whoever agreed no longer loses his name at once, and gets it from no vote that is under way', () => {
  const dossier = new Dossier(identity, start, box);
  dossier.conclude({ outcome: 'person', customerId: 'cus_a', score: 0.7, votes: 3 });
  dossier.forget('cus_b');
  expect(dossier.known).toEqual({ outcome: 'person', customerId: 'cus_a' });
  dossier.forget('cus_a');
  expect(dossier.known).toEqual({ outcome: 'unknown', customerId: null });
  expect(dossier.toSighting('ended')).toMatchObject({ outcome: 'unknown', customerId: null, score: null, votes: 3 });
  const undecided = new Dossier(identity, start, box);
  undecided.addBallots([
    [
      { customerId: 'cus_a', score: 0.7 },
      { customerId: 'cus_b', score: 0.2 },
    ],
  ]);
  undecided.forget('cus_a');
  expect(undecided.addBallots([])).toEqual([[{ customerId: 'cus_b', score: 0.2 }]]);
});

/** Three shots of this quality, and a vote in which they name nobody. */
function voteInVain(dossier: Dossier, overall: number, ms: number): void {
  for (let index = 0; index < 3; index += 1) dossier.offer(shot(overall), later(ms));
  expect(dossier.voteDue).toBe(true);
  expect(dossier.addBallots(dossier.takeShots().map(() => [])).length % 3).toBe(0);
  dossier.conclude({ outcome: 'unknown', customerId: null, score: 0.1, votes: 3 });
}

test('an unknown one votes three times, and is then looked at once a second', () => {
  const dossier = new Dossier(identity, start, box);
  for (const round of [1, 2, 3]) {
    expect(dossier.wantsLook(later(round * 600))).toBe(true);
    dossier.looked(later(round * 600));
    voteInVain(dossier, 0.3, round * 600);
  }
  expect(dossier.wantsLook(later(2799))).toBe(false);
  expect(dossier.wantsLook(later(2800))).toBe(true);
});

test('one whom nobody resembles votes once, until seen clearly better', () => {
  const dossier = new Dossier(identity, start, box);
  dossier.looked(start);
  voteInVain(dossier, 0.3, 0);
  dossier.giveUp();
  expect(dossier.wantsLook(later(999))).toBe(false);
  expect(dossier.wantsLook(later(1000))).toBe(true);
  dossier.offer(shot(0.37), later(1000));
  expect(dossier.waiting).toBe(false);
  voteInVain(dossier, 0.5, 2000);
  expect(dossier.wantsLook(later(2001))).toBe(true);
});

test('after the votes a shot that is little better is overwritten, and a clearly better one votes alone', () => {
  const dossier = new Dossier(identity, start, box);
  for (const round of [1, 2, 3]) voteInVain(dossier, 0.3, round * 600);
  const better = shot(0.37);
  dossier.offer(better, later(4000));
  expect(isWiped(better)).toBe(true);
  for (const overall of [0.38, 0.2, 0.5]) dossier.offer(shot(overall), later(5000));
  expect(dossier.voteDue).toBe(true);
  const ballot = [{ customerId: 'cus_a', score: 0.9 }];
  expect(dossier.addBallots(dossier.takeShots().map(() => ballot))).toEqual([ballot, ballot, ballot]);
});

test('a vote that the gallery did not answer is not counted', () => {
  const dossier = new Dossier(identity, start, box);
  for (let round = 0; round < 5; round += 1) {
    for (let index = 0; index < 3; index += 1) dossier.offer(shot(0.3), later(round * 600));
    expect(dossier.takeShots()).toHaveLength(3);
  }
  expect(dossier.wantsLook(later(3000))).toBe(true);
});

test('what no vote took is overwritten when the track is closed', () => {
  const dossier = new Dossier(identity, start, box);
  const left = shot(0.9);
  dossier.offer(left, later(0));
  dossier.close();
  expect(isWiped(left)).toBe(true);
});

test('shots older than the limit are overwritten and no longer vote', () => {
  const dossier = new Dossier(identity, start, box);
  const [old, fresh] = [shot(0.9), shot(0.4)];
  dossier.offer(old, later(0));
  dossier.offer(fresh, later(8000));
  dossier.expire(start.monotonic + 10_001, 10_000);
  expect([isWiped(old), isWiped(fresh)]).toEqual([true, false]);
  expect(dossier.takeShots()).toEqual([fresh]);
});

test('the sighting tells the times and the box of the best shot, in the published form', () => {
  const dossier = new Dossier(identity, start, box);
  for (const [index, overall] of [0.3, 0.8, 0.5].entries()) dossier.offer(shot(overall), later(index * 200));
  dossier.seen(later(4000), { ...box, x: 500 });
  expect(sightingSchema.parse(dossier.toSighting('ended'))).toMatchObject({ outcome: 'undecided', bestShotAt: null, box: { x: 500 } });
  for (const each of dossier.takeShots()) wipe(each);
  dossier.conclude({ outcome: 'unknown', customerId: null, score: 0.21, votes: 3 });
  expect(sightingSchema.parse(dossier.toSighting('ended'))).toMatchObject({
    outcome: 'unknown',
    customerId: null,
    score: 0.21,
    box: { x: 80 },
    startedAt: '2023-11-14T22:13:20.000Z',
    bestShotAt: '2023-11-14T22:13:20.200Z',
    endedAt: '2023-11-14T22:13:24.000Z',
    media: { startMs: 2000, bestShotMs: 2200, endMs: 6000 },
  });
});
