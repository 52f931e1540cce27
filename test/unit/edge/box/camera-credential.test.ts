import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cameraAddress, cameraCredentials, keepCameraCredential, removeCameraCredential } from '../../../../edge/box/camera-credential.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const HOSTS = ['10.0.0.1'];
const ADDRESS = 'rtsp://10.0.0.1:554/stream?channel=1';

test('user and password come into the address as they are, whatever they consist of; the file is its owner’s alone', async () => {
  const folder = join(await tempFolder(), 'cameras');
  keepCameraCredential(folder, 'door', 'ada:p@ss:w/rd %41#', HOSTS);
  expect(statSync(join(folder, 'door')).mode & 0o777).toBe(0o600);
  const address = cameraAddress(ADDRESS, 'door', folder);
  const { username, password, host, pathname, search } = new URL(address);
  expect([username, password].map(decodeURIComponent)).toEqual(['ada', 'p@ss:w/rd %41#']);
  expect([host, pathname, search]).toEqual(['10.0.0.1:554', '/stream', '?channel=1']);
  keepCameraCredential(folder, 'door', 'ada:$&$1', HOSTS);
  expect(decodeURIComponent(new URL(cameraAddress(ADDRESS, 'door', folder)).password)).toBe('$&$1');
  expect(cameraAddress(ADDRESS, null, folder)).toBe(ADDRESS);
});

test('one that is not there, is open to others or has no user is refused, and what it holds is not told', async () => {
  const folder = await tempFolder();
  const refusal = (name: string): unknown => {
    try {
      return cameraAddress(ADDRESS, name, folder);
    } catch (error) {
      expect(JSON.stringify(error)).not.toContain('hunter2');
      return (error as { code: string }).code;
    }
  };
  expect(refusal('none')).toBe('camera_credential_missing');
  writeFileSync(join(folder, 'open'), 'ada:hunter2', { mode: 0o644 });
  chmodSync(join(folder, 'open'), 0o644);
  expect(refusal('open')).toBe('secret_file_unsafe');
  writeFileSync(join(folder, 'bare'), 'hunter2', { mode: 0o600 });
  expect(refusal('bare')).toBe('camera_credential_missing');
});

test.each([
  ['../north.key', 'ada:hunter2', HOSTS],
  ['door', 'hunter2', HOSTS],
  ['door', ':hunter2', HOSTS],
  ['door', 'ada:hun\nter2', HOSTS],
  ['door', 'ada:hunter2', []],
  ['door', 'ada:hunter2', ['10.0.0.1:554']],
  ['door', 'ada:hunter2', ['*.example']],
])('the name %j for %j and %j is refused', async (name, credential, hosts) => {
  const folder = await tempFolder();
  expect(() => keepCameraCredential(folder, name, credential, hosts)).toThrowError(expect.objectContaining({ code: 'invalid_request' }));
});

test('those that are there are told by name, and one that is taken away is there no longer', async () => {
  const folder = join(await tempFolder(), 'cameras');
  expect(cameraCredentials(folder)).toEqual([]);
  for (const name of ['door', 'bar']) keepCameraCredential(folder, name, 'ada:hunter2', HOSTS);
  expect(cameraCredentials(folder).toSorted()).toEqual(['bar', 'door']);
  removeCameraCredential(folder, 'door');
  expect(cameraCredentials(folder)).toEqual(['bar']);
  for (const name of ['door', '../cameras/bar']) {
    expect(() => removeCameraCredential(folder, name)).toThrowError(expect.objectContaining({ code: 'camera_credential_missing' }));
  }
  expect(cameraCredentials(folder)).toEqual(['bar']);
});

test.each([
  ['rtsp://10.0.0.1/1', true],
  ['rtsp://10.0.7.200:8554/1', true],
  ['rtsps://Cam-1.example/1', true],
  ['rtsp://[fd00:0:0::21]/1', true],
  ['rtsp://10.0.0.2/1', false],
  ['rtsp://10.0.0.1.example/1', false],
  ['rtsp://cam-1.example.rival/1', false],
  ['rtsp://[fd00::22]/1', false],
  ['rtsp://10.0.0.1%2frival.example/1', false],
  ['rtsp://10.0.0.1\\rival.example/1', false],
])('user and password are sent to %s: %s', async (url, isFor) => {
  const folder = await tempFolder();
  keepCameraCredential(folder, 'door', 'ada:hunter2', ['10.0.0.1', '10.0.7.0/24', 'cam-1.example', 'fd00::21']);
  if (isFor) expect(cameraAddress(url, 'door', folder)).toBe(url.replace('://', '://ada:hunter2@'));
  else expect(() => cameraAddress(url, 'door', folder)).toThrowError(expect.objectContaining({ code: 'camera_credential_elsewhere' }));
});
