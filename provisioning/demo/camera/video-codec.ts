/** What a camera has to know of a codec to send it. */
export interface VideoCodec {
  /** Its name in SDP. */
  readonly name: string;
  /** Length of a NAL unit's header. */
  readonly headerLength: number;
  /** Types of the parameter sets that a stream begins with, in their order. */
  readonly parameterSets: readonly number[];
  typeOf(nal: Uint8Array): number;
  isSlice(type: number): boolean;
  /** Whether a slice of this type belongs to a picture that stands alone. */
  standsAlone(type: number): boolean;
  /** What a fragment of a NAL unit begins with; `edge`: 0x80 for the first fragment, 0x40 for the last. */
  fragmentHeader(nal: Uint8Array, edge: number): Buffer;
  /** Media format parameters of SDP. */
  format(parameterSets: readonly Buffer[]): string;
}

const FU_A = 28;

/** ITU-T H.264 (table 7-1) in RTP by RFC 6184, packetisation mode 1. */
export const H264: VideoCodec = {
  name: 'H264',
  headerLength: 1,
  parameterSets: [7, 8],
  typeOf: (nal) => byteAt(nal, 0) & 0x1f,
  isSlice: (type) => type === 1 || type === 5,
  standsAlone: (type) => type === 5,
  fragmentHeader: (nal, edge) => Buffer.from([(byteAt(nal, 0) & 0xe0) | FU_A, edge | H264.typeOf(nal)]),
  format: ([sps = Buffer.alloc(0), ...others]) => {
    const profile = sps.subarray(1, 4).toString('hex').toUpperCase();
    const sets = [sps, ...others].map((set) => set.toString('base64')).join(',');
    return `packetization-mode=1;profile-level-id=${profile};sprop-parameter-sets=${sets}`;
  },
};

const FU = 49;

/** ITU-T H.265 (table 7-1) in RTP by RFC 7798. */
export const H265: VideoCodec = {
  name: 'H265',
  headerLength: 2,
  parameterSets: [32, 33, 34],
  typeOf: (nal) => (byteAt(nal, 0) >> 1) & 0x3f,
  isSlice: (type) => type < 32,
  standsAlone: (type) => type >= 16 && type <= 23,
  fragmentHeader: (nal, edge) => Buffer.from([(byteAt(nal, 0) & 0x81) | (FU << 1), byteAt(nal, 1), edge | H265.typeOf(nal)]),
  format: (sets) => sets.map((set, index) => `sprop-${['vps', 'sps', 'pps'][index]}=${set.toString('base64')}`).join(';'),
};

function byteAt(nal: Uint8Array, index: number): number {
  return nal[index] ?? 0;
}
