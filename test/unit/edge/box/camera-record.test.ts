import { expect, test } from 'vitest';
import { cameraRecord, cameraSettings } from '../../../../edge/box/camera-record.ts';
import { safeAddress } from '../../../../edge/box/safe-address.ts';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';

const camera = { slug: 'door', url: 'rtsp://user:hunter2@10.0.0.7:554/live?password=hunter2', fps: 5 };

test.each(['/etc/passwd', 'file:///etc/passwd', 'http://10.0.0.7/', 'concat:a|b', 'rtsp://', ''])('no camera is added at %j', (url) => {
  expect(() => cameraSettings({ ...camera, url })).toThrow(expect.objectContaining({ code: 'invalid_request' }));
});

test('what is refused names the field and never its value', () => {
  try {
    cameraSettings({ ...camera, url: 'http://user:hunter2@10.0.0.7/', fps: 100 });
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(SecureGateError);
    expect(JSON.stringify(error)).toContain('fps');
    expect(JSON.stringify(error)).not.toContain('hunter2');
  }
});

test('what is not set is not stored, and what is stored is read again', () => {
  const stored = cameraRecord({ ...camera, title: '', tiles: null, roomId: undefined });
  expect(stored).toEqual(camera);
  expect(cameraSettings(stored)).toEqual(camera);
});

test('an address is shown without user, password and query', () => {
  expect(safeAddress(camera.url)).toBe('rtsp://10.0.0.7:554/live');
  expect(safeAddress('/var/film.h264')).toBe('/var/film.h264');
  expect(safeAddress('rtsp://user:hunter2@[::1/')).toBe('');
});
