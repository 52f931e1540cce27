import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../../edge/config/load-config.ts';
import { checkCameras } from '../../../../provisioning/doctor/check-cameras.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';
import { hasOpenssl, TestCa } from '../../../helpers/test-ca.ts';

function config(url: string, cameraCaFile?: string) {
  const folders = { dataDir: '/data', keyDir: '/keys' };
  return parseConfig({
    ...{ ...folders, tenants: [{ id: 'hall', org: 'acme' }], cameras: [{ id: 'door', tenant: 'hall', url }] },
    ...(cameraCaFile === undefined ? {} : { cameraCaFile }),
  });
}

test('cameras that do not speak TLS prove nothing and are not asked to', () => {
  expect(checkCameras(config('rtsp://10.0.0.7/stream'))).toEqual([]);
});

test('a camera that speaks TLS and need not prove who it is, is told', () => {
  expect(checkCameras(config('rtsps://10.0.0.7/stream'))).toMatchObject([{ state: 'warn', next: expect.stringContaining('cameraCaFile') }]);
});

describe.skipIf(!hasOpenssl)('the file of the certificates', () => {
  test('is well where it can be read, and told where it is not one', async () => {
    const folder = await tempFolder();
    expect(checkCameras(config('rtsps://10.0.0.7/stream', new TestCa(folder, 'camera').file))).toMatchObject([{ state: 'ok' }]);
    const wrong = join(folder, 'wrong.pem');
    writeFileSync(wrong, 'x');
    for (const file of [wrong, join(folder, 'gone.pem')]) {
      expect(checkCameras(config('rtsps://10.0.0.7/stream', file))).toMatchObject([{ state: 'fail' }]);
    }
  });
});
