import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RtpPacketizer } from '../../../../../provisioning/demo/camera/rtp-packetizer.ts';

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

/** The receiver's side of RFC 6184: single NAL units and FU-A. */
function nalsOf(packets: readonly Packet[]): Buffer[] {
  const nals: Buffer[] = [];
  let parts: Buffer[] | undefined;
  for (const { payload } of packets) {
    const indicator = payload.readUInt8(0);
    if ((indicator & 0x1f) !== 28) {
      nals.push(payload);
      continue;
    }
    const header = payload.readUInt8(1);
    if ((header & 0x80) !== 0) parts = [Buffer.from([(indicator & 0xe0) | (header & 0x1f)])];
    parts?.push(payload.subarray(2));
    if ((header & 0x40) !== 0) nals.push(Buffer.concat(parts ?? []));
  }
  return nals;
}

const nal = fc
  .record({ type: fc.constantFrom(0x65, 0x41, 0x67), size: fc.constantFrom(2, 1399, 1400, 1401, 2797, 9000) })
  .map(({ type, size }) => Buffer.concat([Buffer.from([type]), Buffer.alloc(size - 1, size % 251)]));

describe('RtpPacketizer', () => {
  test('RFC 6184: every NAL unit arrives as it was, in packets of at most 1400 bytes, the last one marked', () => {
    fc.assert(
      fc.property(fc.array(nal, { minLength: 1, maxLength: 5 }), fc.nat(0xffff), (nals, sequence) => {
        const packets = packetsOf(new RtpPacketizer({ ssrc: 7, sequence, channel: 2 }).pack(nals, 90_000));
        expect(nalsOf(packets)).toEqual(nals);
        expect(Math.max(...packets.map(({ payload }) => payload.length))).toBeLessThanOrEqual(1400);
        expect(packets.map(({ marker }) => marker)).toEqual(packets.map((_, index) => index === packets.length - 1));
        expect(packets.map((packet) => packet.sequence)).toEqual(packets.map((_, index) => (sequence + index) & 0xffff));
        expect(new Set(packets.map(({ timestamp, channel }) => `${timestamp} ${channel}`))).toEqual(new Set(['90000 2']));
      }),
    );
  });

  test('RFC 3550: BYE goes over the RTCP channel, after a report', () => {
    const bye = new RtpPacketizer({ ssrc: 0x01020304, sequence: 0, channel: 4 }).bye();
    expect(bye.toString('hex')).toBe('24050010' + '80c9000101020304' + '81cb000101020304');
  });
});
