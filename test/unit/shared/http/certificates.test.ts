import { once } from 'node:events';
import { copyFileSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Certificates } from '../../../../shared/http/certificates.ts';
import { createHttpServer } from '../../../../shared/http/create-http-server.ts';
import { tlsSchema } from '../../../../shared/http/listen-config.ts';
import { createLogger } from '../../../../shared/log/create-logger.ts';
import { shownCertificate } from '../../../helpers/raw-request.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';
import { hasOpenssl, TestCa } from '../../../helpers/test-ca.ts';

const TIMEOUTS = { headersMs: 5000, requestMs: 5000, idleMs: 5000 };

/** A server whose certificates are copies that the test may replace. */
async function runningServer() {
  const folder = await tempFolder();
  const ca = new TestCa(folder, 'ca');
  const path = (name: string): string => join(folder, name);
  const place = ({ cert, key }: { cert: string; key: string }, name: string): { cert: string; key: string } => {
    copyFileSync(cert, path(`${name}-cert.pem`));
    copyFileSync(key, path(`${name}-key.pem`));
    return { cert: path(`${name}-cert.pem`), key: path(`${name}-key.pem`) };
  };
  const gate = place(ca.issue('gate', 1, ['gate.example', '*.gate.example']), 'gate');
  const hall = place(ca.issue('hall'), 'hall');
  const log: string[] = [];
  const logger = createLogger('test', { stream: { write: (line) => void log.push(line) } });
  const certificates = new Certificates({ ...gate, certificates: [{ hostnames: ['hall.example'], ...hall }] }, logger);
  const server = createHttpServer(certificates, TIMEOUTS, (_request, response) => response.end('ok'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { ca, gate, hall, place, path, certificates, url, log };
}

describe.skipIf(!hasOpenssl)('certificates (skipped where openssl is not installed)', () => {
  test('one that is replaced is shown without a restart, by default and for a name', async () => {
    const { ca, place, url, log } = await runningServer();
    place(ca.issue('new-gate'), 'gate');
    place(ca.issue('new-hall'), 'hall');
    await expect.poll(() => shownCertificate(url), { timeout: 20_000 }).toBe('new-gate');
    await expect.poll(() => shownCertificate(url, 'hall.example'), { timeout: 20_000 }).toBe('new-hall');
    expect(log.filter((line) => line.includes('another certificate is shown'))).toHaveLength(2);
  });

  test('one whose link is turned to another file is shown as well', async () => {
    const { ca, hall, path, certificates, url } = await runningServer();
    const renewed = ca.issue('renewed');
    for (const name of ['cert', 'key'] as const) {
      symlinkSync(renewed[name], path('link'));
      renameSync(path('link'), hall[name]);
    }
    await certificates.look();
    expect(await shownCertificate(url, 'hall.example')).toBe('renewed');
  });

  test('while a pair is half-written, gone or no pair, the one before is shown, and the log says so once', async () => {
    const { ca, gate, certificates, url, log } = await runningServer();
    const renewed = ca.issue('renewed');
    const whole = readFileSync(renewed.cert, 'utf8');
    const warnings = (): number => log.filter((line) => line.includes('the certificate before it is shown on')).length;
    const steps: (() => void)[] = [
      () => writeFileSync(gate.cert, ''),
      () => writeFileSync(gate.cert, whole.slice(0, whole.length / 2)),
      () => rmSync(gate.cert),
      () => writeFileSync(gate.cert, whole),
      () => writeFileSync(gate.key, 'no key'),
    ];
    for (const [done, step] of steps.entries()) {
      step();
      await certificates.look();
      await certificates.look();
      expect(await shownCertificate(url)).toBe('gate');
      expect(warnings()).toBe(done + 1);
    }
    copyFileSync(renewed.key, gate.key);
    await certificates.look();
    expect(await shownCertificate(url)).toBe('renewed');
    expect(warnings()).toBe(steps.length);
    expect(log.join('')).not.toContain('PRIVATE KEY');
  });

  test('names of its own are those of the default certificate, without wildcards', async () => {
    const { ca, place, certificates } = await runningServer();
    const own = (): boolean[] =>
      ['gate.example', 'a.gate.example', 'hall.example', '', '127.0.0.1', '192.0.2.1'].map((host) => certificates.isForHost(host));
    expect(own()).toEqual([true, false, false, false, true, false]);
    place(ca.issue('moved', 1, ['hall.example']), 'gate');
    await certificates.look();
    expect(own()).toEqual([false, false, true, false, true, false]);
  });

  test('a server with one that cannot be used does not start', async () => {
    const { ca, gate, hall } = await runningServer();
    const logger = createLogger('test', { level: 'silent' });
    for (const certificates of [
      [{ hostnames: ['a.example'], cert: hall.cert, key: gate.key }],
      [{ hostnames: ['a.example'], cert: `${hall.cert}.none`, key: hall.key }],
      [{ hostnames: ['a.example'], cert: ca.file, key: hall.key }],
    ]) {
      const start = () => createHttpServer(new Certificates({ ...gate, certificates }, logger), TIMEOUTS, () => undefined);
      expect(start).toThrowError(expect.objectContaining({ code: 'config_invalid' }));
    }
  });

  test('HTTP/1.1 is spoken, and nothing else', async () => {
    const { url } = await runningServer();
    const port = Number(new URL(url).port);
    const agreed = async (ALPNProtocols: string[]): Promise<unknown> => {
      const socket = connect({ port, host: '127.0.0.1', ALPNProtocols, rejectUnauthorized: false });
      const [error] = await Promise.race([once(socket, 'secureConnect'), once(socket, 'error')]).catch((reason: unknown) => [reason]);
      socket.destroy();
      return error instanceof Error ? 'refused' : socket.alpnProtocol;
    };
    expect(await agreed(['h2', 'http/1.1'])).toBe('http/1.1');
    expect(await agreed(['h2'])).toBe('refused');
  });
});

test.each([
  ['a name that is there twice', [['a.example'], ['b.example', 'a.example']]],
  ['a wildcard in the middle', [['a.*.example']]],
  ['a wildcard over everything', [['*']]],
  ['upper case', [['A.example']]],
  ['no name', [[]]],
])('a configuration with %s is refused', (_what, names) => {
  const files = { cert: 'c', key: 'k' };
  expect(tlsSchema.safeParse({ ...files, certificates: names.map((hostnames) => ({ hostnames, ...files })) }).success).toBe(false);
});
