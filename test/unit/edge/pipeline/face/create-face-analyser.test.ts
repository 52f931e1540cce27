import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RgbImage } from '../../../../../edge/inference/image.ts';
import { createFaceAnalyser, type FaceAnalyser } from '../../../../../edge/pipeline/face/create-face-analyser.ts';
import { ENROLMENT_LIMITS, RECOGNITION_LIMITS } from '../../../../../edge/pipeline/face/quality-limits.ts';
import { type Detection, type FaceShot, REJECTION_REASONS, type RejectionReason } from '../../../../../edge/pipeline/frame.ts';
import { openPhoto } from '../../../../helpers/open-photo.ts';
import { type OpenStages, openStages } from '../../../../helpers/open-stages.ts';
import { samplePhotos } from '../../../../helpers/sample-photos.ts';

type Edit = Parameters<typeof openPhoto>[1];

let stages: OpenStages;
let files: string[];

beforeAll(async () => {
  stages = await openStages();
  files = await samplePhotos();
});

afterAll(() => stages.close());

/** All faces of a photograph after `edit`, from left to right. */
async function shots(photo: number, edit: Edit, analyser: FaceAnalyser = stages.analyser): Promise<FaceShot[]> {
  const image = await openPhoto(files[photo - 1] as string, edit);
  const detections = (await stages.detector.detect(image)).toSorted((a, b) => a.box.x - b.box.x);
  return Promise.all(detections.map((detection) => analyser.analyse(image, detection)));
}

/** Photograph 5, cut so that its frontal face (lower left) stands alone. */
const alone = async (
  edit: (picture: Parameters<NonNullable<Edit>>[0]) => ReturnType<NonNullable<Edit>> = (picture) => picture,
): Promise<{ image: RgbImage; detection: Detection }> => {
  const image = await openPhoto(files[4] as string, (picture) => edit(picture.extract({ left: 270, top: 780, width: 400, height: 480 })));
  const [detection] = await stages.detector.detect(image);
  if (!detection) throw new Error('the face is there');
  return { image, detection };
};

describe('the faces of the photographs', () => {
  test.each([1280, 640])(
    'at a width of %i px only the profile and a face that looks away are turned down, by their pose',
    async (width) => {
      const turnedDown: string[] = [];
      for (const photo of [1, 2, 3, 4, 5, 6]) {
        const found = await shots(photo, (picture) => picture.resize({ width }));
        for (const [index, shot] of found.entries())
          if (shot.rejections.length > 0) turnedDown.push(`${photo}/${index} ${shot.rejections}`);
      }
      expect(turnedDown.length).toBeLessThanOrEqual(2);
      expect(turnedDown).toContain('2/0 yaw');
      for (const entry of turnedDown) expect(entry).toMatch(/^2\/[01] (yaw|pitch)$/);
    },
  );

  test('moderate blur and a third of the light are no reason at 120 px, blur alone none at 60 px', async () => {
    for (const edit of [
      (picture: Parameters<NonNullable<Edit>>[0]) => picture.resize({ width: 1280 }).blur(1.5).linear(0.35, 0),
      (picture: Parameters<NonNullable<Edit>>[0]) => picture.resize({ width: 640 }).blur(0.8),
    ]) {
      for (const shot of [...(await shots(3, edit)), ...(await shots(6, edit))]) expect(shot.rejections).toEqual([]);
    }
  });

  test('the best of one face ranks above small, blurred and turned ones', async () => {
    const [best] = await shots(6, (picture) => picture.resize({ width: 1280 }));
    const [small] = await shots(6, (picture) => picture.resize({ width: 500 }));
    const [blurred] = await shots(6, (picture) => picture.resize({ width: 1280 }).blur(3));
    const [profile] = await shots(2, (picture) => picture.resize({ width: 1280 }));
    for (const other of [small, blurred, profile]) expect(other?.quality.overall).toBeLessThan((best?.quality.overall ?? 0) * 0.8);
    expect(best?.quality.overall).toBeLessThanOrEqual(1);
  });

  test('points lie on the face, eyes above nose above mouth, left of it to the left', async () => {
    for (const { box, points } of await shots(3, (picture) => picture.resize({ width: 1280 }))) {
      const [eyeLeft, eyeRight, nose, mouthLeft, mouthRight] = points;
      expect(eyeLeft.x).toBeLessThan(eyeRight.x);
      expect(mouthLeft.x).toBeLessThan(mouthRight.x);
      expect(nose.y).toBeGreaterThan(Math.max(eyeLeft.y, eyeRight.y));
      expect(nose.y).toBeLessThan(Math.min(mouthLeft.y, mouthRight.y));
      for (const { x, y } of points) {
        expect(x).toBeGreaterThan(box.x);
        expect(x).toBeLessThan(box.x + box.width);
        expect(y).toBeGreaterThan(box.y);
        expect(y).toBeLessThan(box.y + box.height);
      }
    }
  });

  test('a second look at the landmarks keeps a face like itself that is turned and out of focus', async () => {
    const twice = createFaceAnalyser(stages.sessions.landmarks, RECOGNITION_LIMITS, { lookTwice: true });
    const embedded = async (file: Buffer, analyser: FaceAnalyser): Promise<Float32Array> => {
      const image = await openPhoto(file);
      const fromMiddle = ({ box }: Detection): number =>
        Math.hypot(box.x + (box.width - image.width) / 2, box.y + (box.height - image.height) / 2);
      const [face] = (await stages.detector.detectStill(image)).toSorted((a, b) => fromMiddle(a) - fromMiddle(b));
      const { aligned } = await analyser.analyse(image, face as Detection);
      return (await stages.embedder.embed([aligned]))[0] as Float32Array;
    };
    const likeness: { once: number[]; again: number[] } = { once: [], again: [] };
    for (const photo of [1, 3, 4, 6]) {
      const file = await sharp(files[photo - 1])
        .resize({ width: 1280 })
        .png()
        .toBuffer();
      for (const { box } of await stages.detector.detect(await openPhoto(file))) {
        const [left, top] = [Math.round(Math.max(0, box.x - 60)), Math.round(Math.max(0, box.y - 60))];
        const side = Math.min(1280 - left, Math.round(box.height) + 120);
        const face = await sharp(file).extract({ left, top, width: side, height: side }).png().toBuffer();
        const spoilt = await sharp(face).rotate(20, { background: '#888' }).blur(1.5).png().toBuffer();
        for (const [looks, analyser] of [
          ['once', stages.analyser],
          ['again', twice],
        ] as const) {
          const [before, after] = [await embedded(face, analyser), await embedded(spoilt, analyser)];
          likeness[looks].push(before.reduce((sum, value, index) => sum + value * (after[index] ?? 0), 0));
        }
      }
    }
    expect(Math.min(...likeness.again)).toBeGreaterThan(0.9);
    expect(Math.min(...likeness.once)).toBeLessThan(0.8);
  });

  test('roll follows the picture: turned by 30 degrees it differs by 30', async () => {
    const straight = await alone();
    const turned = await openPhoto(files[4] as string, (picture) =>
      picture.extract({ left: 270, top: 780, width: 400, height: 480 }).rotate(30),
    );
    const [detection] = await stages.detector.detect(turned);
    const before = await stages.analyser.analyse(straight.image, straight.detection);
    const after = await stages.analyser.analyse(turned, detection as Detection);
    expect(Math.abs(after.quality.roll - before.quality.roll - 30)).toBeLessThan(5);
  });
});

describe('every reason for turning a face down can be reached', () => {
  const reached = new Map<RejectionReason, () => Promise<FaceShot>>([
    [
      'too_small',
      async () => {
        const { image, detection } = await alone((picture) => picture.resize({ width: 64 }));
        return stages.analyser.analyse(image, detection);
      },
    ],
    [
      'blurred',
      async () => {
        const { image, detection } = await alone();
        const blurred = await openPhoto(files[4] as string, (picture) =>
          picture.extract({ left: 270, top: 780, width: 400, height: 480 }).blur(14),
        );
        expect(blurred.width).toBe(image.width);
        return stages.analyser.analyse(blurred, detection);
      },
    ],
    ['yaw', async () => (await shots(2, (picture) => picture.resize({ width: 1280 })))[0] as FaceShot],
    [
      'pitch',
      async () =>
        (
          await shots(2, (picture) => picture.resize({ width: 1280 }), createFaceAnalyser(stages.sessions.landmarks, ENROLMENT_LIMITS))
        )[1] as FaceShot,
    ],
    [
      'roll',
      async () => {
        const { image, detection } = await alone();
        const { box, points } = await stages.analyser.analyse(image, detection);
        const [cx, cy] = [box.x + box.width / 2, box.y + box.height / 2];
        // A quarter turn of the points is a quarter turn of the face.
        const [a, b, c, d, e] = points.map(({ x, y }) => ({ x: cx - (y - cy), y: cy + (x - cx) }));
        if (!a || !b || !c || !d || !e) throw new Error('five points stay five');
        return stages.analyser.analyse(image, { box, score: 1, points: [a, b, c, d, e] });
      },
    ],
    [
      'cut_off',
      async () => {
        const { image, detection } = await alone();
        const { box, points } = await stages.analyser.analyse(image, detection);
        return stages.analyser.analyse(image, { box: { ...box, x: -box.width / 4 }, score: 1, points });
      },
    ],
    [
      'no_landmarks',
      async () => {
        const { image, detection } = await alone();
        return createFaceAnalyser(null, RECOGNITION_LIMITS).analyse(image, { box: detection.box, score: 1 });
      },
    ],
  ]);

  test.each(REJECTION_REASONS)('%s, and that alone', async (reason) => {
    const shot = await reached.get(reason)?.();
    expect(shot?.rejections).toEqual([reason]);
    expect(shot?.aligned).toMatchObject({ width: 112, height: 112 });
  });

  test('several at once, in the order of the list', async () => {
    const { detection } = await alone((picture) => picture.resize({ width: 64 }));
    const image = await openPhoto(files[4] as string, (picture) =>
      picture.extract({ left: 270, top: 780, width: 400, height: 480 }).resize({ width: 64 }).blur(4),
    );
    const { box } = detection;
    const shot = await stages.analyser.analyse(image, { ...detection, box: { ...box, x: box.x - image.width / 2 } });
    expect(shot.rejections.slice(0, 2)).toEqual(['too_small', 'blurred']);
    expect(shot.rejections).toContain('cut_off');
  });

  test('points that are no face are no landmarks, and have no pose', async () => {
    const { image, detection } = await alone();
    const point = { x: 100, y: 100 };
    for (const points of [
      [point, point, point, point, point],
      [
        { x: 90, y: 200 },
        { x: 250, y: 80 },
        { x: 60, y: 90 },
        { x: 220, y: 230 },
        { x: 150, y: 60 },
      ],
    ] as const) {
      const { rejections } = await stages.analyser.analyse(image, { ...detection, points });
      expect(rejections).toContain('no_landmarks');
      expect(rejections).not.toContain('yaw');
    }
  });
});

test("a detector's own points count instead of the model's", async () => {
  const { image, detection } = await alone();
  const { points } = await stages.analyser.analyse(image, detection);
  const own = await createFaceAnalyser(null, RECOGNITION_LIMITS).analyse(image, { ...detection, points });
  expect(own.points).toEqual(points);
  expect(own.rejections).toEqual([]);
});

test('a model of another task is refused', () => {
  expect(() => createFaceAnalyser(stages.sessions.detector, RECOGNITION_LIMITS)).toThrow(
    expect.objectContaining({ code: 'model_contract' }),
  );
});
