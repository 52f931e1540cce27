import { describe, expect, test } from 'vitest';
import { parseAnnexB } from '../../../../../provisioning/demo/camera/annex-b.ts';

const SPS = [0x67, 0x42, 0xc0, 0x1f];
const PPS = [0x68, 0xce];
const SEI = [0x06, 0x05, 0x01];
// A slice whose second byte begins with a 1 bit starts a picture.
const IDR = [0x65, 0x88, 0x11];
const IDR_REST = [0x65, 0x40, 0x22];
const P = [0x41, 0x9a, 0x33];

const stream = (...nals: number[][]): Buffer => Buffer.concat(nals.map((nal) => Buffer.from([0, 0, 0, 1, ...nal])));
const bytes = (nals: readonly Buffer[]): number[][] => nals.map((nal) => Array.from(nal));

describe('parseAnnexB', () => {
  test('gathers parameter sets and slices into pictures and leaves the rest out', () => {
    const { codec, pictures, parameterSets } = parseAnnexB(stream(SPS, PPS, SEI, IDR, IDR_REST, P, SPS, PPS, IDR));
    expect(pictures.map(({ nals }) => bytes(nals))).toEqual([[SPS, PPS, IDR, IDR_REST], [P], [SPS, PPS, IDR]]);
    expect(pictures.map(({ keyframe }) => keyframe)).toEqual([true, false, true]);
    expect(bytes(parameterSets)).toEqual([SPS, PPS]);
    expect(codec.name).toBe('H264');
  });

  test('H.265: headers of two bytes, three parameter sets, and pictures that stand alone under other numbers', () => {
    const [vps, sps265, pps265, sei, idr, rest, trail] = [
      [0x40, 0x01, 0x0c],
      [0x42, 0x01, 0x01],
      [0x44, 0x01, 0xc1],
      [0x4e, 0x01, 0x05],
      [0x26, 0x01, 0xaf],
      [0x26, 0x01, 0x2f],
      [0x02, 0x01, 0xd0],
    ] as const;
    const { codec, pictures, parameterSets } = parseAnnexB(stream(...[vps, sps265, pps265, sei, idr, rest, trail].map((nal) => [...nal])));
    expect(codec.name).toBe('H265');
    expect(pictures.map(({ nals }) => bytes(nals))).toEqual([[vps, sps265, pps265, idr, rest], [trail]]);
    expect(pictures.map(({ keyframe }) => keyframe)).toEqual([true, false]);
    expect(bytes(parameterSets)).toEqual([vps, sps265, pps265]);
  });

  test('takes three-byte start codes and zero bytes before a start code', () => {
    const mixed = Buffer.concat([Buffer.from([0, 0, 1, ...SPS, 0, 0, 0, 1, ...PPS, 0, 0, 0, 0, 1, ...IDR]), stream(P)]);
    expect(parseAnnexB(mixed).pictures.map(({ nals }) => bytes(nals))).toEqual([[SPS, PPS, IDR], [P]]);
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['no H.264', Buffer.from('this is not a video at all')],
    ['no parameter sets', stream(IDR, P)],
    ['no picture that stands alone', stream(SPS, PPS, P)],
  ])('refuses %s', (_, video) => {
    expect(() => parseAnnexB(video)).toThrow('Not an H.264 or H.265 byte stream');
  });
});
