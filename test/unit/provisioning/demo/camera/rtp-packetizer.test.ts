import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RtpPacketizer } from '../../../../../provisioning/demo/camera/rtp-packetizer.ts';
import { H264, H265 } from '../../../../../provisioning/demo/camera/video-codec.ts';

interface Packet {
  readonly channel: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly marker: boolean;
  readonly payload: Buffer;
}

function packetsOf(bytes: Buffer): Packet[] {
  const packets: Packet[] = [];
  for (let at = 0; at < bytes.length; ) {
    expect(bytes[at]).toBe(0x24);
    const length = bytes.readUInt16BE(at + 2);
    const rtp = bytes.subarray(at + 4, at + 4 + length);
    expect(rtp[0]).toBe(0x80);
    packets.push({
      channel: bytes.readUInt8(at + 1),
      sequence: rtp.readUInt16BE(2),
      timestamp: rtp.readUInt32BE(4),
      marker: (rtp.readUInt8(1) & 0x80) !== 0,
      payload: rtp.subarray(12),
    });
    at += 4 + length;
  }
  return packets;
}

/** The receiver's side of a codec's payload format. */
interface Receiver {
  readonly headerLength: number;
  isFragment(payload: Buffer): boolean;
  /** The NAL unit's own header, of its first fragment. */
  headerOf(payload: Buffer): Buffer;
}

const RFC_6184: Receiver = {
  headerLength: 1,
  isFragment: (payload) => (payload.readUInt8(0) & 0x1f) === 28,
  headerOf: (payload) => Buffer.from([(payload.readUInt8(0) & 0xe0) | (payload.readUInt8(1) & 0x1f)]),
};

const RFC_7798: Receiver = {
  headerLength: 2,
  isFragment: (payload) => ((payload.readUInt8(0) >> 1) & 0x3f) === 49,
  headerOf: (payload) => Buffer.from([(payload.readUInt8(0) & 0x81) | ((payload.readUInt8(2) & 0x3f) << 1), payload.readUInt8(1)]),
};

function nalsOf(packets: readonly Packet[], { headerLength, isFragment, headerOf }: Receiver): Buffer[] {
  const nals: Buffer[] = [];
  let parts: Buffer[] | undefined;
  for (const { payload } of packets) {
    if (!isFragment(payload)) {
      nals.push(payload);
      continue;
    }
    const fragment = payload.readUInt8(headerLength);
    if ((fragment & 0x80) !== 0) parts = [headerOf(payload)];
    parts?.push(payload.subarray(headerLength + 1));
    if ((fragment & 0x40) !== 0) nals.push(Buffer.concat(parts ?? []));
  }
  return nals;
}

const nalWith = (...headers: number[][]) =>
  fc
    .record({ header: fc.constantFrom(...headers), size: fc.constantFrom(3, 1399, 1400, 1401, 2797, 9000) })
    .map(({ header, size }) => Buffer.concat([Buffer.from(header), Buffer.alloc(size - header.length, size % 251)]));

describe('RtpPacketizer', () => {
  test.each([
    ['RFC 6184', H264, RFC_6184, nalWith([0x65], [0x41], [0x67])],
    ['RFC 7798', H265, RFC_7798, nalWith([0x26, 0x01], [0x02, 0x01], [0x41, 0x0a])],
  ])('%s: every NAL unit arrives as it was, in packets of at most 1400 bytes, the last one marked', (_rfc, codec, receiver, nal) => {
    fc.assert(
      fc.property(fc.array(nal, { minLength: 1, maxLength: 5 }), fc.nat(0xffff), (nals, sequence) => {
        const packets = packetsOf(new RtpPacketizer({ codec, ssrc: 7, sequence, channel: 2 }).pack(nals, 90_000));
        expect(nalsOf(packets, receiver)).toEqual(nals);
        expect(Math.max(...packets.map(({ payload }) => payload.length))).toBeLessThanOrEqual(1400);
        expect(packets.map(({ marker }) => marker)).toEqual(packets.map((_, index) => index === packets.length - 1));
        expect(packets.map((packet) => packet.sequence)).toEqual(packets.map((_, index) => (sequence + index) & 0xffff));
        expect(new Set(packets.map(({ timestamp, channel }) => `${timestamp} ${channel}`))).toEqual(new Set(['90000 2']));
      }),
    );
  });

  test('RFC 3550: BYE goes over the RTCP channel, after a report', () => {
    const bye = new RtpPacketizer({ codec: H264, ssrc: 0x01020304, sequence: 0, channel: 4 }).bye();
    expect(bye.toString('hex')).toBe('24050010' + '80c9000101020304' + '81cb000101020304');
  });
});
