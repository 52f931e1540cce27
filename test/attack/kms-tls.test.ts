import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { KmsClient } from '../../cloud/kms/client.ts';
import type { KmsTlsAddress } from '../../cloud/kms/connect-to-kms.ts';
import { type TestKms, testKms } from '../helpers/kms.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { hasOpenssl, TestCa } from '../helpers/test-ca.ts';

const refused = (code: string): unknown => expect.objectContaining({ code });

describe.skipIf(!hasOpenssl)('the KMS with TLS (skipped where openssl is not installed)', () => {
  let folder: string;
  let ca: TestCa;
  let server: { cert: string; key: string };
  beforeEach(async () => {
    folder = await tempFolder();
    ca = new TestCa(folder, 'clients');
    server = ca.issue('kms');
  });

  /** A KMS that listens with TLS too, and where. */
  async function listening(change: object = {}): Promise<{ kms: TestKms; port: number }> {
    const kms = await testKms('software');
    await kms.stop();
    const { cert, key } = server;
    const tls = { host: '127.0.0.1', port: 0, cert, key: { file: key }, clientCa: ca.file, clients: ['control-plane', 'drills'] };
    await kms.configure({ tls, ...change });
    await kms.start();
    return { kms, port: Number(/"port":(\d+)/.exec(kms.log)?.[1]) };
  }

  function clientOf(port: number, own: { cert: string; key: string }, change: Partial<KmsTlsAddress> = {}): KmsClient {
    const [cert, key] = [readFileSync(own.cert, 'utf8'), readFileSync(own.key)];
    const client = new KmsClient({ host: '127.0.0.1', port, ca: ca.pem, cert, key, ...change });
    onTestFinished(() => client.close());
    return client;
  }

  test('answers whoever has a certificate in a name that it was told, beside its socket', async () => {
    const { kms, port } = await listening();
    const client = clientOf(port, ca.issue('control-plane'));
    const key = await client.call('signingKey', { use: 'audit' });
    expect(await kms.client.call('signingKey', { use: 'audit' })).toEqual(key);
    expect(await clientOf(port, ca.issue('drills')).call('signingKey', { use: 'audit' })).toEqual(key);
    await kms.stop();
    await expect(client.call('status', {})).rejects.toThrow(refused('kms_unavailable'));
  });

  test('answers instead of its socket, and not at all where nobody could ask', async () => {
    const { kms, port } = await listening({ socket: undefined });
    expect(existsSync(kms.socket)).toBe(false);
    expect((await clientOf(port, ca.issue('control-plane')).call('status', {})).ready).toBe(true);
    await kms.stop();
    await kms.configure({ socket: undefined, tls: undefined });
    await expect(kms.start()).rejects.toThrow('config_invalid');
  });

  test.each([
    ['of another authority, although in a known name', () => new TestCa(folder, 'strangers').issue('control-plane'), 'does not hold'],
    ['that it signed itself', () => ({ cert: new TestCa(folder, 'self').file, key: `${folder}/self.key` }), 'does not hold'],
    ['in a name that it was not told', () => ca.issue('somebody'), 'nobody of this name may ask: somebody'],
    ['that has expired', () => ca.issue('control-plane', -1), 'CERT_HAS_EXPIRED'],
  ])('with a certificate %s refuses the caller, and logs why', async (_what, issue, reason) => {
    const { kms, port } = await listening();
    await expect(clientOf(port, issue()).call('signingKey', { use: 'audit' })).rejects.toThrow(refused('kms_unavailable'));
    await expect.poll(() => kms.log).toContain(reason);
    expect(existsSync(join(kms.dataDir, 'audit.jsonl')), 'nothing was asked').toBe(false);
  });

  test('without one refuses the caller, and logs why', async () => {
    const { kms, port } = await listening();
    const socket = connect({ host: '127.0.0.1', port, ca: ca.pem, minVersion: 'TLSv1.3' });
    const ended = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += String(chunk);
    });
    socket.write(`${JSON.stringify({ id: 1, operation: 'status', arguments: {} })}\n`);
    await ended;
    expect(answer).toBe('');
    await expect.poll(() => kms.log).toContain('there is no client certificate');
  });

  test('speaks nothing older than TLS 1.3', async () => {
    const { kms, port } = await listening();
    const own = ca.issue('control-plane');
    const options = { host: '127.0.0.1', port, ca: ca.pem, cert: readFileSync(own.cert), key: readFileSync(own.key) };
    const socket = connect({ ...options, maxVersion: 'TLSv1.2' });
    await expect(new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))).rejects.toThrow();
    await expect.poll(() => kms.log).toContain('a connection was refused');
  });

  test('is not asked by a client that does not know its authority: somebody else may answer in its place', async () => {
    const { port } = await listening();
    const strangers = new TestCa(folder, 'strangers');
    const client = clientOf(port, ca.issue('control-plane'), { ca: strangers.pem });
    await expect(client.call('status', {})).rejects.toThrow(refused('kms_unavailable'));
  });

  test('does not start with a key that others can read, or that is not of its certificate', async () => {
    const { kms } = await listening();
    await kms.stop();
    const { cert, key } = ca.issue('other');
    const tls = { host: '127.0.0.1', port: 0, cert: server.cert, key: { file: key }, clientCa: ca.file, clients: ['drills'] };
    await kms.configure({ tls });
    await expect(kms.start()).rejects.toThrow('config_invalid');
    chmodSync(key, 0o644);
    await kms.configure({ tls: { ...tls, cert } });
    await expect(kms.start()).rejects.toThrow('secret_file_unsafe');
  });
});
