import type { VideoStream } from './annex-b.ts';
import type { VideoCodec } from './video-codec.ts';

/** Largest RTP payload; what a camera on Ethernet would use. */
const MAX_PAYLOAD = 1400;
const PAYLOAD_TYPE = 96;

/** RTP clock of video, ticks a second (RFC 6184, section 8.2.1; RFC 7798, section 7.1). */
export const RTP_CLOCK = 90_000;

/**
 * Packs pictures into RTP packets (RFC 3550; payload of RFC 6184 or RFC 7798: single NAL units and fragments), each framed for the RTSP connection (RFC 2326, section 10.12: `$`, channel, length).
 */
export class RtpPacketizer {
  readonly #codec: VideoCodec;
  readonly #ssrc: number;
  readonly #channel: number;
  #sequence: number;

  /** @param channel interleaved channel of RTP; RTCP goes over the next one */
  constructor(options: { codec: VideoCodec; ssrc: number; sequence: number; channel: number }) {
    this.#codec = options.codec;
    this.#ssrc = options.ssrc;
    this.#sequence = options.sequence;
    this.#channel = options.channel;
  }

  /** Number that the next packet carries. */
  get sequence(): number {
    return this.#sequence;
  }

  /**
   * All packets of one picture, one after the other.
   * @param isLost asked for each packet: a lost one takes its number along and is missing
   */
  pack(nals: readonly Buffer[], timestamp: number, isLost: () => boolean = () => false): Buffer {
    const packets: Buffer[] = [];
    nals.forEach((nal, index) => {
      const last = index === nals.length - 1;
      if (nal.length <= MAX_PAYLOAD) packets.push(this.#packet([nal], timestamp, last));
      else this.#fragment(nal, timestamp, last, packets);
    });
    return Buffer.concat(packets.filter(() => !isLost()));
  }

  /** An empty receiver report and a BYE (RFC 3550, section 6.6): the stream ends on purpose. */
  bye(): Buffer {
    const rtcp = Buffer.alloc(16);
    rtcp.writeUInt32BE(0x80c90001, 0);
    rtcp.writeUInt32BE(this.#ssrc, 4);
    rtcp.writeUInt32BE(0x81cb0001, 8);
    rtcp.writeUInt32BE(this.#ssrc, 12);
    return Buffer.concat([interleavedHeader(this.#channel + 1, rtcp.length), rtcp]);
  }

  #fragment(nal: Buffer, timestamp: number, lastNal: boolean, packets: Buffer[]): void {
    const { headerLength } = this.#codec;
    const step = MAX_PAYLOAD - this.#codec.fragmentHeader(nal, 0).length;
    for (let at = headerLength; at < nal.length; at += step) {
      const first = at === headerLength;
      const last = at + step >= nal.length;
      const header = this.#codec.fragmentHeader(nal, first ? 0x80 : last ? 0x40 : 0);
      packets.push(this.#packet([header, nal.subarray(at, at + step)], timestamp, lastNal && last));
    }
  }

  #packet(payload: readonly Buffer[], timestamp: number, marker: boolean): Buffer {
    const header = Buffer.alloc(12);
    header[0] = 0x80;
    header[1] = PAYLOAD_TYPE | (marker ? 0x80 : 0);
    header.writeUInt16BE(this.#sequence, 2);
    header.writeUInt32BE(timestamp >>> 0, 4);
    header.writeUInt32BE(this.#ssrc, 8);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const length = payload.reduce((sum, part) => sum + part.length, header.length);
    return Buffer.concat([interleavedHeader(this.#channel, length), header, ...payload]);
  }
}

function interleavedHeader(channel: number, length: number): Buffer {
  const header = Buffer.from([0x24, channel, 0, 0]);
  header.writeUInt16BE(length, 2);
  return header;
}

/** SDP of the stream (RFC 8866; RFC 6184, section 8.2; RFC 7798, section 7.2). */
export function describeStream({ codec, parameterSets }: VideoStream, fps: number): string {
  return `${[
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=Test camera',
    'c=IN IP4 0.0.0.0',
    't=0 0',
    'a=control:*',
    'a=range:npt=0-',
    `m=video 0 RTP/AVP ${PAYLOAD_TYPE}`,
    `a=rtpmap:${PAYLOAD_TYPE} ${codec.name}/${RTP_CLOCK}`,
    `a=fmtp:${PAYLOAD_TYPE} ${codec.format(parameterSets)}`,
    `a=framerate:${fps}`,
    'a=control:track1',
  ].join('\r\n')}\r\n`;
}

/** SDP of a camera that was set to Motion JPEG (RFC 2435). */
export const MJPEG_DESCRIPTION = `${[
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=Test camera',
  'c=IN IP4 0.0.0.0',
  't=0 0',
  'm=video 0 RTP/AVP 26',
  'a=control:track1',
].join('\r\n')}\r\n`;
