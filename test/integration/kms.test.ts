import { createPublicKey, verify } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { kmsConfigSchema } from '../../cloud/kms/config/schema.ts';
import { Kms } from '../../cloud/kms/kms.ts';
import { readConfig } from '../../shared/config/read-config.ts';
import { adminSet, signAssignment, signSet, TestDevice, type TestKms, TestSigner, testKms } from '../helpers/kms.ts';
import { testLogger } from '../helpers/secrecy/test-logger.ts';
import { hasSoftHsm } from '../helpers/soft-hsm.ts';

const refused = (code: string): unknown => expect.objectContaining({ code });

/** A second KMS on the same files, in this process. */
function second(kms: TestKms, change: object = {}): Kms {
  const config = kmsConfigSchema.parse({ ...readConfig(kms.configFile, kmsConfigSchema), ...change });
  return new Kms({ config, now: Date.now, monotonic: () => performance.now(), random: (size) => Buffer.alloc(size), logger: testLogger() });
}

describe('without an HSM', () => {
  test('the KMS works, and says everywhere that its keys are in software', async () => {
    const kms = await testKms('software');
    const { client } = kms;
    expect(await client.call('status', {})).toEqual({
      ready: true,
      hsm: 'software, not an HSM',
      capabilities: { wrapInHsm: false, trustedWrap: false, oaepHash: 'sha256', destroyHorizonDays: null },
      reason: null,
    });
    expect(kms.log).toContain('started with keys in software, not in an HSM');
    const [admin, device] = [new TestSigner(), new TestDevice()];
    await client.call('pinAdmins', {
      org: 'acme',
      signed: await signSet(adminSet('acme', 1, [admin], [admin, new TestSigner()]), [admin]),
    });
    await client.call('createEpoch', { org: 'acme', tenant: 'hall', epoch: 1 });
    await kms.trustDevice(device);
    await client.call('assign', { assignment: await signAssignment(admin, await device.claims('acme', 'hall')) });
    const key = await device.fetchTek(client, 'acme', 'hall', 1);
    await kms.stop();
    await kms.start();
    expect(await device.fetchTek(client, 'acme', 'hall', 1)).toEqual(key);
    await client.call('createEpoch', { org: 'acme', tenant: 'hall', epoch: 2 });
    await client.call('acknowledgeMove', { token: await device.movedTo('acme', 'hall', 2) });
    expect(await client.call('destroyEpoch', { org: 'acme', tenant: 'hall', epoch: 1 }), 'more is not claimed').toEqual({
      state: 'erased',
      from: null,
    });
    await expect(device.fetchTek(client, 'acme', 'hall', 1)).rejects.toThrow(refused('cell_gone'));
    const audit = await readFile(join(kms.dataDir, 'audit.jsonl'), 'utf8');
    for (const line of audit.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ hsm: 'software, not an HSM' });
  });

  test('a keystore without its master key, or with another one, opens nothing', async () => {
    const kms = await testKms('software');
    await kms.client.call('signingKey', { use: 'audit' });
    await kms.stop();
    const { hsm } = readConfig(kms.configFile, kmsConfigSchema);
    const other = await testKms('software');
    const { hsm: otherHsm } = readConfig(other.configFile, kmsConfigSchema);
    if (hsm.driver !== 'software' || otherHsm.driver !== 'software') throw new Error('not what was asked for');
    const thief = second(kms, { hsm: { ...hsm, masterKey: otherHsm.masterKey } });
    await expect(thief.start()).rejects.toThrow(refused('envelope_rejected'));
    await expect(second(kms, { hsm: { ...hsm, masterKey: { file: '/nonexistent' } } }).start()).rejects.toThrow(
      refused('secret_file_unsafe'),
    );
  });
});

describe('the socket of the KMS', () => {
  test('is for those alone whom its folder lets in', async () => {
    const kms = await testKms('software');
    expect((await stat(kms.socket)).mode & 0o007).toBe(0);
    expect((await stat(join(kms.socket, '..'))).mode & 0o777).toBe(0o700);
    await kms.stop();
    const open = join(kms.dataDir, 'open');
    await mkdir(open, { mode: 0o755 });
    await expect(second(kms, { socket: join(open, 'kms.sock') }).start()).rejects.toThrow(refused('storage_failed'));
  });

  test('takes nonsense without harm: what is no message ends the connection, what is no request is answered so', async () => {
    const kms = await testKms('software');
    const say = async (text: string): Promise<string> => {
      const socket = createConnection(kms.socket);
      socket.setEncoding('utf8');
      const said = Promise.withResolvers<string>();
      let answer = '';
      socket.on('data', (chunk) => {
        answer += String(chunk);
        if (answer.endsWith('\n')) said.resolve(answer);
      });
      socket.on('close', () => said.resolve('closed'));
      socket.on('error', () => undefined);
      socket.write(text);
      const result = await said.promise;
      socket.destroy();
      return result;
    };
    expect(await say('GET / HTTP/1.1\r\n\r\n')).toBe('closed');
    expect(await say('x'.repeat(300 * 1024))).toBe('closed');
    for (const request of [
      { id: 1 },
      { id: 1, operation: 'unwrapTek', arguments: {} },
      { id: 1, operation: 'constructor', arguments: {} },
      { id: 1, operation: 'createEpoch', arguments: { org: '../etc', tenant: 'hall', epoch: 1 } },
      { id: 1, operation: 'createEpoch', arguments: { org: 'acme', tenant: 'hall', epoch: 1, more: true } },
      { id: 1, operation: 'sign', arguments: { use: 'root', messages: ['AA'] } },
      { id: 1, operation: 'sign', arguments: { use: 'audit', messages: ['!'] } },
      { id: 1, operation: 'sign', arguments: { use: 'leases', messages: ['AA'] } },
    ]) {
      expect(JSON.parse(await say(`${JSON.stringify(request)}\n`)), JSON.stringify(request)).toMatchObject({
        id: 1,
        error: { code: 'invalid_request' },
      });
    }
    expect((await kms.client.call('status', {})).ready).toBe(true);
  });

  test('is found again by a client after the KMS was killed, and its calls fail meanwhile', async () => {
    const kms = await testKms('software');
    const key = await kms.client.call('signingKey', { use: 'commands' });
    await kms.stop('SIGKILL');
    await expect(kms.client.call('status', {})).rejects.toThrow(refused('kms_unavailable'));
    await kms.start();
    expect(await kms.client.call('signingKey', { use: 'commands' })).toEqual(key);
  });

  test('answers many calls at a time, each with its own answer', async () => {
    const kms = await testKms('software');
    const jwk = await kms.client.call('signingKey', { use: 'commands' });
    const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
    const messages = Array.from({ length: 200 }, (_, at) => Buffer.from(`command ${at}`));
    const signed = await Promise.all(messages.map((message) => kms.client.call('sign', { use: 'commands', messages: [message] })));
    for (const [at, { signatures }] of signed.entries()) {
      const signature = Buffer.concat(signatures);
      expect(verify('sha256', messages[at] as Buffer, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
    }
  });
});

describe('the folder of the KMS', () => {
  test('belongs to one KMS at a time', async () => {
    const kms = await testKms('software');
    await expect(second(kms).start()).rejects.toThrow(refused('data_folder_in_use'));
    expect((await kms.client.call('status', {})).ready).toBe(true);
  });

  test('must take audit lines: what cannot be written down is not done', async () => {
    const kms = await testKms('software');
    await kms.stop();
    const audit = join(kms.dataDir, 'audit.jsonl');
    await rename(audit, `${audit}.old`).catch(() => undefined);
    await mkdir(audit);
    await kms.start();
    await expect(kms.client.call('challenge', {})).rejects.toThrow(refused('storage_failed'));
    await expect(kms.client.call('signingKey', { use: 'ca' })).rejects.toThrow(refused('storage_failed'));
    expect((await kms.client.call('status', {})).ready).toBe(true);
  });
});

test.skipIf(!hasSoftHsm)('tells that its HSM is gone, and goes on when it is back (skipped where SoftHSM2 is not installed)', async () => {
  const kms = await testKms();
  await kms.client.call('signingKey', { use: 'ca' });
  const tokens = join(kms.token?.folder ?? '', 'tokens');
  await rename(tokens, `${tokens}.away`);
  await expect(kms.client.call('signingKey', { use: 'audit' })).rejects.toThrow(refused('hsm_unavailable'));
  expect(await kms.client.call('status', {})).toMatchObject({ ready: false, reason: 'hsm_unavailable' });
  await rename(`${tokens}.away`, tokens);
  await kms.client.call('signingKey', { use: 'ca' });
  await kms.stop();
  await rm(tokens, { recursive: true });
  await expect(kms.start()).rejects.toThrow('hsm_unavailable');
});
