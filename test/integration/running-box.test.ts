import { execFileSync, spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startApi } from '../../edge/api/server.ts';
import { RunningBox } from '../../edge/backup/running-box.ts';
import { systemClock } from '../../edge/runtime/clock.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { PLENTY, startTestApi, type TestApi } from '../helpers/test-api.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
let api: TestApi;
let folder: string;
let tokenFile: string;

beforeAll(async () => {
  api = await startTestApi();
}, 60_000);
afterAll(() => api.stop());
beforeEach(async () => {
  folder = await tempFolder();
  tokenFile = join(folder, 'token');
  await writeFile(tokenFile, `${api.admin}\n`);
});

function makeCertificate(name: string): { cert: string; key: string } {
  const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}-key.pem`)];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=gate.example'];
  execFileSync('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { cert, key };
}

test('tells its id and its tenants, with the policy of those that the configuration does not declare', async () => {
  const box = new RunningBox({ api: { host: '127.0.0.1', port: Number(new URL(api.url).port) }, tokenFile });
  await box.open();
  expect(box.box).toBe(api.appliance.box);
  expect(box.tenants).toEqual([
    { id: 'north', org: 'acme', policy: { keys: 'file', matchThreshold: null, unmatchedTtlMs: 10_000, sightingsDays: 30 } },
    { id: 'south', org: 'acme', policy: null },
  ]);
  await expect(box.data('nowhere').next()).rejects.toMatchObject({ code: 'tenant_not_found' });
});

test.skipIf(!hasOpenssl)(
  'by TLS (skipped where openssl is not installed) it is asked if its certificate is the configured one',
  async () => {
    const tls = makeCertificate('box');
    const logger = testLogger();
    const listen = { host: '127.0.0.1', port: 0, tls };
    const running = await startApi({ box: api.box, appliance: api.appliance, listen, logger, clock: systemClock, rateLimits: PLENTY });
    try {
      const port = Number(new URL(running.url).port);
      const box = new RunningBox({ api: { host: '0.0.0.0', port, tls }, tokenFile });
      await box.open();
      expect((await buffer(box.data('north'))).length).toBeGreaterThan(0);
      const impostor = new RunningBox({ api: { host: '127.0.0.1', port, tls: makeCertificate('other') }, tokenFile });
      await expect(impostor.open()).rejects.toMatchObject({ code: 'box_unreachable' });
    } finally {
      await running.stop();
    }
  },
);

test('without its token, its port or itself it is not asked', async () => {
  const port = Number(new URL(api.url).port);
  const open = (more: object, file = tokenFile): Promise<void> =>
    new RunningBox({ api: { host: '127.0.0.1', port, ...more }, tokenFile: file }).open();
  await expect(open({}, join(folder, 'none'))).rejects.toMatchObject({ code: 'file_unreadable' });
  await expect(open({ port: 0 })).rejects.toMatchObject({ code: 'config_invalid' });
  await expect(open({ port: 1 })).rejects.toMatchObject({ code: 'box_unreachable' });
  await writeFile(tokenFile, (await readFile(tokenFile, 'utf8')).replace('sga_', 'sga_x'));
  await expect(open({})).rejects.toMatchObject({ code: 'unauthenticated' });
});
