import { describe, expect, test } from 'vitest';
import { RtspRequestReader } from '../../../../../provisioning/demo/camera/rtsp-request-reader.ts';

const OPTIONS = 'OPTIONS rtsp://camera/stream RTSP/1.0\r\nCSeq: 1\r\n\r\n';
const SET = 'SET_PARAMETER rtsp://camera/stream RTSP/1.0\r\nCSeq: 2\r\nContent-Length: 5\r\n\r\nhello';
const REPORT = Buffer.from([0x24, 1, 0, 4, 0x80, 0xc9, 0, 0]);

describe('RtspRequestReader', () => {
  test('reads requests from pieces of any size, with bodies and interleaved reports between them', () => {
    const bytes = Buffer.concat([Buffer.from(OPTIONS), REPORT, Buffer.from(SET), REPORT, Buffer.from(OPTIONS)]);
    for (const size of [1, 3, 7, bytes.length]) {
      const reader = new RtspRequestReader();
      const requests = [];
      for (let at = 0; at < bytes.length; at += size) requests.push(...reader.push(bytes.subarray(at, at + size)));
      expect(requests.map(({ method, headers }) => `${method} ${headers.get('cseq')}`)).toEqual([
        'OPTIONS 1',
        'SET_PARAMETER 2',
        'OPTIONS 1',
      ]);
    }
  });

  test('refuses what is no RTSP, or is too long', () => {
    expect(() => new RtspRequestReader().push(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).toThrow('Not an RTSP request');
    expect(() => new RtspRequestReader().push(Buffer.alloc(20_000, 0x41))).toThrow('too long');
    expect(() => new RtspRequestReader().push(Buffer.from('PLAY * RTSP/1.0\r\nContent-Length: 99999999\r\n\r\n'))).toThrow('too long');
  });
});
