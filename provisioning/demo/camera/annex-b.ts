import { H264, H265, type VideoCodec } from './video-codec.ts';

/** One picture of a stream: the NAL units that are decoded together, without start codes. */
export interface AccessUnit {
  readonly nals: readonly Buffer[];
  readonly keyframe: boolean;
}

export interface VideoStream {
  readonly codec: VideoCodec;
  readonly pictures: readonly AccessUnit[];
  /** The first of each type, in the order of `codec.parameterSets`. */
  readonly parameterSets: readonly Buffer[];
}

/**
 * Splits an H.264 or H.265 byte stream (Annex B of either) into pictures.
 * The returned NAL units are views of `bytes`; only slices and parameter sets are kept.
 *
 * @throws {Error} where the stream does not begin with its parameter sets and a picture that stands alone
 */
export function parseAnnexB(bytes: Buffer): VideoStream {
  const [first, ...others] = nalUnits(bytes);
  const codec = [H264, H265].find(({ typeOf, parameterSets }) => first !== undefined && typeOf(first) === parameterSets[0]);
  if (first === undefined || codec === undefined) throw refusal();
  const pictures: { nals: Buffer[]; keyframe: boolean }[] = [];
  let pending: Buffer[] = [];
  const sets = new Map<number, Buffer>();
  for (const nal of [first, ...others]) {
    const type = codec.typeOf(nal);
    if (codec.parameterSets.includes(type)) {
      if (!sets.has(type)) sets.set(type, nal);
      pending.push(nal);
    }
    if (!codec.isSlice(type)) continue;
    // H.264: first_mb_in_slice is an Exp-Golomb number, of which a leading 1 bit is macroblock 0. H.265: first_slice_segment_in_pic_flag.
    const beginsPicture = ((nal[codec.headerLength] ?? 0) & 0x80) !== 0;
    const last = pictures.at(-1);
    if (beginsPicture || last === undefined) {
      pictures.push({ nals: [...pending, nal], keyframe: codec.standsAlone(type) });
    } else {
      last.nals.push(...pending, nal);
    }
    pending = [];
  }
  const parameterSets = codec.parameterSets.flatMap((type) => sets.get(type) ?? []);
  if (parameterSets.length < codec.parameterSets.length || pictures[0]?.keyframe !== true) throw refusal();
  return { codec, pictures, parameterSets };
}

function refusal(): Error {
  return new Error('Not an H.264 or H.265 byte stream that begins with parameter sets and a picture that stands alone');
}

function* nalUnits(bytes: Buffer): Generator<Buffer> {
  const START = Buffer.from([0, 0, 1]);
  let from = bytes.indexOf(START);
  while (from !== -1) {
    const begin = from + START.length;
    const next = bytes.indexOf(START, begin);
    let end = next === -1 ? bytes.length : next;
    // Zero bytes before a start code belong to it (zero_byte, trailing_zero_8bits), never to the NAL unit.
    while (end > begin && bytes[end - 1] === 0) end -= 1;
    if (end > begin) yield bytes.subarray(begin, end);
    from = next;
  }
}
