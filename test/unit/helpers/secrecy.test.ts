import { execFile, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { noteKeyFiles } from '../../helpers/secrecy/note-key-files.ts';
import { notePrivateKey, noteSecret, noteToken } from '../../helpers/secrecy/note-secret.ts';
import { saidFile } from '../../helpers/secrecy/run-folder.ts';
import { searchRun } from '../../helpers/secrecy/search-run.ts';
import { testLogger } from '../../helpers/secrecy/test-logger.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

/** A run of its own: what is told here is no secret of the suite. */
let folder: string;
beforeEach(async () => {
  folder = await tempFolder();
  vi.stubEnv('SECUREGATE_TEST_RUN', folder);
  onTestFinished(() => void vi.unstubAllEnvs());
});

const found = (): string[] => searchRun(folder).found.map((line) => line.slice(0, line.indexOf(' in ')));
const say = (text: string | Buffer): Promise<void> => writeFile(saidFile(folder), text);

test.each([
  ['raw', (key: Buffer) => Buffer.concat([Buffer.from('before'), key, Buffer.from('after')])],
  ['hex', (key: Buffer) => `{"k":"${key.toString('hex')}"}`],
  ['upper-case hex', (key: Buffer) => key.toString('hex').toUpperCase()],
  ['base64', (key: Buffer) => key.toString('base64')],
  ['base64 of something longer', (key: Buffer) => Buffer.concat([Buffer.from('ab'), key, Buffer.from('c')]).toString('base64url')],
  ['a buffer in JSON', (key: Buffer) => JSON.stringify({ key })],
  ['the first two thirds of it', (key: Buffer) => key.subarray(0, 22).toString('base64url')],
])('bytes are found in what was said as %s', async (_form, written) => {
  const key = randomBytes(32);
  noteSecret('key', key);
  await say('nothing of it');
  expect(found()).toEqual([]);
  await say(written(key));
  expect(found()).toEqual(['key']);
});

test('a token is found by its signature, and a private key in a PEM and in a JWK; what is public is not', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  notePrivateKey('private key', privateKey);
  noteToken('token', 'head.claims.signature-of-it');
  await say(`head.claims ${publicKey.export({ type: 'spki', format: 'pem' })}`);
  expect(found()).toEqual([]);
  for (const told of [
    privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    JSON.stringify(privateKey.export({ format: 'jwk' })),
  ]) {
    await say(JSON.stringify({ told }));
    expect(found(), told).toEqual(['private key']);
  }
  await say('Bearer head.claims.signature-of-it');
  expect(found()).toEqual(['token']);
});

test('files of keys are noted as what they hold', async () => {
  const keys = await tempFolder();
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const tek = randomBytes(32);
  await writeFile(join(keys, 'hall.key'), tek);
  await writeFile(join(keys, 'admin.token'), 'sga_something-long\n');
  await writeFile(join(keys, 'wrap.p8'), privateKey.export({ type: 'pkcs8', format: 'der' }));
  await writeFile(join(keys, 'broken.p8'), 'not a key');
  noteKeyFiles(keys);
  await say(`${tek.toString('hex')} sga_something-long ${privateKey.export({ format: 'jwk' }).d}`);
  expect(found().toSorted()).toEqual(['admin.token', 'hall.key', 'wrap.p8']);
});

test('what a log says is searched, and what other processes say: heard, thrown away, or read by nobody', async () => {
  const secret = (name: string): string => {
    const text = randomBytes(16).toString('hex');
    noteSecret(name, text);
    return text;
  };
  testLogger().trace({ detail: secret('log') }, 'something');
  const program = `process.stdout.write(process.argv[1]); process.stderr.write(process.argv[2])`;
  for (const stdio of ['ignore', 'pipe'] as const) {
    const args = ['-e', program, secret(`${stdio}, stdout`), secret(`${stdio}, stderr`)];
    await once(spawn(process.execPath, args, { stdio }), 'close');
  }
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', program, secret('execFile'), '']);
  expect(stdout).toHaveLength(32);
  expect(found().toSorted()).toEqual(['execFile', 'ignore, stderr', 'ignore, stdout', 'log', 'pipe, stderr', 'pipe, stdout']);
});

test('a command that is asked for a secret may tell it, and nothing beside it', async () => {
  noteSecret('token', 'asked-for-by-somebody');
  const tell = (stream: string): Promise<unknown> =>
    promisify(execFile)(process.execPath, ['-e', `process.${stream}.write('asked-for-by-somebody')`, 'cloud', 'token']);
  await tell('stdout');
  expect(searchRun(folder)).toMatchObject({ found: [], secrets: 1 });
  await tell('stderr');
  expect(found()).toEqual(['token']);
});
