/** One picture of an H.264 stream: the NAL units that are decoded together, without start codes. */
export interface AccessUnit {
  readonly nals: readonly Buffer[];
  readonly keyframe: boolean;
}

export interface H264Stream {
  readonly pictures: readonly AccessUnit[];
  readonly sps: Buffer;
  readonly pps: Buffer;
}

const NAL = { slice: 1, idr: 5, sps: 7, pps: 8 } as const;

/** The type of a NAL unit (ITU-T H.264, table 7-1). */
export function nalType(nal: Uint8Array): number {
  return (nal[0] ?? 0) & 0x1f;
}

/**
 * Splits an H.264 byte stream (ITU-T H.264, Annex B) into pictures.
 * The returned NAL units are views of `bytes`; only slices and parameter sets are kept.
 *
 * @throws {Error} where the stream does not begin with its parameter sets and a picture that stands alone
 */
export function parseAnnexB(bytes: Buffer): H264Stream {
  const pictures: { nals: Buffer[]; keyframe: boolean }[] = [];
  let pending: Buffer[] = [];
  let sps: Buffer | undefined;
  let pps: Buffer | undefined;
  for (const nal of nalUnits(bytes)) {
    const type = nalType(nal);
    if (type === NAL.sps) sps ??= nal;
    if (type === NAL.pps) pps ??= nal;
    if (type !== NAL.slice && type !== NAL.idr) {
      if (type === NAL.sps || type === NAL.pps) pending.push(nal);
      continue;
    }
    // first_mb_in_slice is an Exp-Golomb number: a leading 1 bit is macroblock 0, the beginning of a picture.
    const beginsPicture = ((nal[1] ?? 0) & 0x80) !== 0;
    const last = pictures.at(-1);
    if (beginsPicture || last === undefined) {
      pictures.push({ nals: [...pending, nal], keyframe: type === NAL.idr });
    } else {
      last.nals.push(...pending, nal);
    }
    pending = [];
  }
  if (sps === undefined || pps === undefined || pictures[0]?.keyframe !== true) {
    throw new Error('Not an H.264 byte stream that begins with parameter sets and an IDR picture');
  }
  return { pictures, sps, pps };
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
