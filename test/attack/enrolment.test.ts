import { execFile } from 'node:child_process';
import { createHash, generateKeyPairSync, KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { certsOnly } from '../../cloud/fleet/pki/certs-only.ts';
import { readDeviceCertificate } from '../../cloud/fleet/pki/read-device-certificate.ts';
import { EstClient } from '../../edge/link/enrolment/est-client.ts';
import { makeCertificateRequest } from '../../edge/link/enrolment/make-certificate-request.ts';
import { renew } from '../../edge/link/enrolment/renew.ts';
import * as x509 from '../../shared/fleet/x509.ts';
import { newId } from '../../shared/ids/ids.ts';
import { ConnectedBox } from '../helpers/connected-box.ts';
import { TestBox, TestFleet } from '../helpers/fleet.ts';
import { TestFleetCa } from '../helpers/fleet-ca.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const DAY_MS = 86_400_000;
const refused = (code: string) => expect.objectContaining({ code });
const run = promisify(execFile);

/** The authorities of a control plane, as somebody knows them who trusts it. */
async function authoritiesOf({ cloud, asOperator }: TestFleet): Promise<string[]> {
  expect(cloud.fleetUrl).not.toBe('');
  const { body } = await asOperator('GET', '/v1/authorities');
  return body.items.map(({ certificate }: { certificate: string }) => certificate);
}

describe('tokens', () => {
  test('of eight boxes that use one token at the same time, one enrols', async () => {
    const fleet = await TestFleet.start();
    const token = await fleet.token();
    const boxes = await Promise.all(Array.from({ length: 8 }, () => TestBox.make()));
    const results = await Promise.allSettled(boxes.map((box) => box.enrol(fleet.url, token)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toEqual(refused('enrolment_token_rejected'));
    }
    expect((await fleet.ask('GET', '/devices')).body.items).toHaveLength(1);
  });

  test('a token that was used enrols no other box, and not the same one with another key', async () => {
    const fleet = await TestFleet.start();
    const token = await fleet.token();
    const box = await TestBox.make();
    const { certificate } = await box.enrol(fleet.url, token);
    const thief = await TestBox.make();
    await expect(thief.enrol(fleet.url, token)).rejects.toEqual(refused('enrolment_token_rejected'));
    box.folder.clear();
    await expect(box.enrol(fleet.url, token)).rejects.toEqual(refused('enrolment_token_rejected'));
    expect(certificate).toContain('BEGIN CERTIFICATE');
  });

  test('guessed, cut, of another id, or with SQL in it, it counts for nothing; its secret is nowhere in the database', async () => {
    const folder = await tempFolder();
    const fleet = await TestFleet.start({ address: { file: join(folder, 'cloud.db') } });
    const token = await fleet.token();
    const ca = await authoritiesOf(fleet);
    const box = await TestBox.make();
    box.folder.make();
    const { request, hash } = await makeCertificateRequest(box.folder.key.open());
    const { statement } = await box.state(hash);
    const client = new EstClient({ cloud: fleet.url, authorities: ca });
    const [kind, id, ...rest] = token.split('_');
    for (const tried of [
      '',
      'x',
      `' OR 1=1 --`,
      token.slice(0, -1),
      [kind, newId('enrolmentToken').slice(4), ...rest].join('_'),
      `${kind}_${id}_${randomBytes(32).toString('base64url')}_${token.slice(-43)}`,
      `${token}:${token}`,
    ]) {
      await expect(client.enrol(tried, statement, request), tried).rejects.toEqual(refused('enrolment_token_rejected'));
    }
    const secret = token.slice(0, -44).slice(-43);
    for (const file of ['cloud.db', 'cloud.db-wal']) expect((await readFile(join(folder, file))).includes(secret)).toBe(false);
    // Which authority the token names is for the box alone.
    expect(await client.enrol(token, statement, request)).toContain('BEGIN CERTIFICATE');
  });
});

describe('certificate requests', () => {
  /** Sends what openssl made of a request, with a statement for it. */
  async function send(fleet: TestFleet, box: TestBox, der: Buffer, token: string): Promise<string> {
    const { statement } = await box.state(createHash('sha256').update(der).digest('base64url'));
    return await new EstClient({ cloud: fleet.url, authorities: await authoritiesOf(fleet) }).enrol(
      token,
      statement,
      der.toString('base64'),
    );
  }

  async function requestBy(...args: string[]): Promise<Buffer> {
    const file = join(await tempFolder(), 'csr');
    await run('openssl', ['req', '-new', '-nodes', '-keyout', `${file}.key`, '-outform', 'der', '-out', file, ...args]);
    return await readFile(file);
  }

  const P256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];

  test("with somebody else's name, as an authority, for a server: of all that nothing comes into the certificate", async () => {
    const fleet = await TestFleet.start();
    const victim = await fleet.enrolled();
    const box = await TestBox.make();
    const asks = [
      '-addext',
      'basicConstraints=critical,CA:true',
      '-addext',
      'keyUsage=keyCertSign',
      '-addext',
      'extendedKeyUsage=serverAuth',
    ];
    const der = await requestBy(...P256, '-subj', `/O=acme/CN=${victim.id}`, ...asks, '-addext', 'subjectAltName=DNS:localhost');
    const certificate = new X509Certificate(await send(fleet, box, der, await fleet.token()));
    expect(certificate.subject).toMatch(new RegExp(`^CN=${box.id}\\nserialNumber=[0-9a-f]{64}$`));
    expect(certificate.ca).toBe(false);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(certificate.subjectAltName).toBe(`URI:urn:securegate:device:${box.id}`);
  });

  test('with a weak key, another curve, a changed byte, or no request at all, are refused, and the token still counts', async () => {
    const fleet = await TestFleet.start();
    const token = await fleet.token();
    const box = await TestBox.make();
    const good = await requestBy(...P256, '-subj', '/CN=x');
    const changed = Buffer.from(good);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    for (const [what, der] of Object.entries({
      'RSA of 1024 bits': await requestBy('-newkey', 'rsa:1024', '-subj', '/CN=x'),
      'RSA of 2048 bits': await requestBy('-newkey', 'rsa:2048', '-subj', '/CN=x'),
      'P-224': await requestBy('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp224r1', '-subj', '/CN=x'),
      'a changed signature': changed,
      'a half': good.subarray(0, good.length / 2),
      nothing: Buffer.alloc(0),
      noise: randomBytes(300),
      'a certificate': new X509Certificate((await authoritiesOf(fleet))[0] ?? '').raw,
    })) {
      await expect(send(fleet, box, der, token), what).rejects.toEqual(refused('enrolment_rejected'));
    }
    expect(await send(fleet, box, good, token)).toContain('BEGIN CERTIFICATE');
  });

  test('a statement for another request, by another key or of another box, counts for nothing', async () => {
    const fleet = await TestFleet.start();
    const [box, other] = [await TestBox.make(), await TestBox.make()];
    box.folder.make();
    const { request, hash } = await makeCertificateRequest(box.folder.key.open());
    const { statement } = await box.state(hash);
    const [head = '', , signature] = statement.split('.');
    const claims = JSON.parse(Buffer.from(statement.split('.')[1] ?? '', 'base64url').toString()) as object;
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: other.id })).toString('base64url');
    const none = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(head, 'base64url').toString()), alg: 'none' })).toString(
      'base64url',
    );
    const client = new EstClient({ cloud: fleet.url, authorities: await authoritiesOf(fleet) });
    const token = await fleet.token();
    for (const tried of [
      '',
      'x.y.z',
      (await other.state('A'.repeat(43))).statement,
      `${head}.${forged}.${signature}`,
      `${none}.${statement.split('.')[1]}.`,
    ]) {
      await expect(client.enrol(token, tried, request), tried).rejects.toEqual(refused('enrolment_rejected'));
    }
  });

  test('an id that is enrolled with other keys is not taken over, by no token of any org', async () => {
    const fleet = await TestFleet.start();
    const box = await fleet.enrolled();
    const impostor = await TestBox.make(box.id);
    await expect(impostor.enrol(fleet.url, await fleet.token())).rejects.toEqual(refused('conflict'));
    expect(await fleet.ask('GET', `/devices/${box.id}`)).toMatchObject({
      body: { version: 1, fingerprint: box.folder.read().fingerprint },
    });
  });
});

describe('certificates', () => {
  test('of a rogue authority count for nothing, also when it has our name and its certificate has just ended', async () => {
    const fleet = await TestFleet.start();
    const box = await fleet.enrolled();
    for (const at of [Date.now(), Date.now() - 20 * DAY_MS]) {
      const rogue = await TestFleetCa.make(at);
      const { key, certificate } = await rogue.device(box.id);
      const client = new EstClient({ cloud: fleet.url, authorities: box.folder.read().authorities, credentials: { key, certificate } });
      const { request } = await makeCertificateRequest(key);
      await expect(client.link()).rejects.toEqual(refused('certificate_rejected'));
      await expect(client.renew(request)).rejects.toEqual(refused('certificate_rejected'));
      await expect(client.leave()).rejects.toEqual(refused('certificate_rejected'));
    }
    expect(await fleet.ask('GET', `/devices/${box.id}`)).toMatchObject({ body: { state: 'awaiting-approval' } });
  });

  test('that say they are of our authority, by its name and the id of its key, but are signed by another key, count for nothing', async () => {
    const fleet = await TestFleet.start();
    const box = await fleet.enrolled();
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const { publicKey, privateKey } = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const [genuine = ''] = await authoritiesOf(fleet);
    const keyId = new x509.X509Certificate(genuine).getExtension(x509.SubjectKeyIdentifierExtension)?.keyId ?? '';
    const imitation = await x509.X509CertificateGenerator.create({
      subject: `CN=${box.id}`,
      issuer: 'CN=SecureGate fleet 1',
      signingKey: privateKey,
      signingAlgorithm: algorithm,
      publicKey,
      extensions: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]), new x509.AuthorityKeyIdentifierExtension(keyId)],
    });
    const certificate = imitation.toString('pem');
    expect(new X509Certificate(certificate).checkIssued(new X509Certificate(genuine))).toBe(true);
    const credentials = { key: KeyObject.from(privateKey), certificate };
    const client = new EstClient({ cloud: fleet.url, authorities: [genuine], credentials });
    await expect(client.link()).rejects.toEqual(refused('certificate_rejected'));
  });

  test('of a box that was denied, released or enrolled anew end at once; a denied id never comes back', async () => {
    const fleet = await TestFleet.start();
    const [denied, released, renewed] = [await fleet.enrolled(), await TestBox.make(), await fleet.enrolled()];
    expect(await fleet.ask('POST', `/devices/${denied.id}/deny`)).toMatchObject({ status: 200, body: { state: 'denied' } });
    await expect(renew(denied.folder)).rejects.toEqual(refused('device_denied'));
    await expect(denied.enrol(fleet.url, await fleet.token())).rejects.toEqual(refused('already_enrolled'));
    denied.folder.clear();
    await expect(denied.enrol(fleet.url, await fleet.token())).rejects.toEqual(refused('device_denied'));
    expect(await fleet.ask('POST', `/devices/${denied.id}/release`)).toMatchObject({ status: 403, body: { code: 'device_denied' } });
    expect(await fleet.assign(denied)).toMatchObject({ status: 403, body: { code: 'device_denied' } });

    const token = await fleet.token();
    await released.enrol(fleet.url, token);
    expect(await fleet.ask('POST', `/devices/${released.id}/release`)).toMatchObject({ status: 200, body: { state: 'left' } });
    await expect(renew(released.folder)).rejects.toEqual(refused('certificate_rejected'));
    // Its token still has time, and it still has its key: both are worth nothing.
    released.folder.key.forget = () => undefined;
    released.folder.clear();
    await expect(released.enrol(fleet.url, token)).rejects.toEqual(refused('enrolment_token_rejected'));

    // The disk was stolen; the box enrols anew with another key, and the thief has nothing.
    const { cloud, authorities, certificate } = renewed.folder.read();
    const stolen = new EstClient({ cloud, authorities, credentials: { key: renewed.folder.key.open(), certificate } });
    await expect(stolen.link()).resolves.toMatchObject({ device: renewed.id });
    renewed.folder.clear();
    await renewed.enrol(fleet.url, await fleet.token());
    await expect(stolen.link()).rejects.toEqual(refused('certificate_rejected'));
  });

  test('a certificate buys a new one for its own key alone', async () => {
    const fleet = await TestFleet.start();
    const [box, other] = [await fleet.enrolled(), await TestBox.make()];
    other.folder.make();
    const { request } = await makeCertificateRequest(other.folder.key.open());
    const { cloud, authorities, certificate } = box.folder.read();
    const client = new EstClient({ cloud, authorities, credentials: { key: box.folder.key.open(), certificate } });
    await expect(client.renew(request)).rejects.toEqual(refused('enrolment_rejected'));
    await expect(new EstClient({ cloud, authorities }).renew(request)).rejects.toEqual(refused('unauthenticated'));
  });

  test("of the same authority count for nothing where they are no box's: that of a server, and its own", async () => {
    const ca = await TestFleetCa.make();
    const { certificate } = await ca.server(['localhost']);
    const trusted = await ca.authorities.trusted();
    for (const shown of [certificate, await ca.authority()]) {
      expect(() => readDeviceCertificate(new X509Certificate(shown), trusted)).toThrow(refused('certificate_rejected'));
    }
    const id = newId('box');
    expect(readDeviceCertificate(new X509Certificate((await ca.device(id)).certificate), trusted)).toMatchObject({ device: id });
  });
});

describe('a control plane that is none', () => {
  interface Impostor {
    readonly url: string;
    readonly asked: readonly string[];
    readonly count: { connections: number };
  }

  /** Answers as one would, with a certificate of its choice. */
  async function impostor(key: string, cert: string, body: string, status = 200): Promise<Impostor> {
    const asked: string[] = [];
    const count = { connections: 0 };
    const server = createServer({ key, cert }, (request, answer) => {
      asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`);
      answer.writeHead(status).end(body);
    });
    server.on('connection', () => {
      count.connections += 1;
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, count };
  }

  const pemOf = (key: { export: (options: { type: 'pkcs8'; format: 'pem' }) => string | Buffer }): string =>
    key.export({ type: 'pkcs8', format: 'pem' }).toString();

  test('gets no token: neither with an authority of its own, nor beside the true one, nor with the certificate of a box', async () => {
    const fleet = await TestFleet.start();
    const token = await fleet.token();
    const [genuine = ''] = await authoritiesOf(fleet);
    const rogue = await TestFleetCa.make();
    const server = await rogue.server(['127.0.0.1']);
    const own = await rogue.authority();
    const alone = await impostor(pemOf(server.key), server.certificate, certsOnly([own]));
    await expect((await TestBox.make()).enrol(alone.url, token)).rejects.toEqual(refused('cloud_untrusted'));
    const beside = await impostor(pemOf(server.key), server.certificate, certsOnly([own, genuine]));
    await expect((await TestBox.make()).enrol(beside.url, token)).rejects.toEqual(refused('cloud_unavailable'));
    const box = await fleet.enrolled();
    const { certificate } = box.folder.read();
    const disguised = await impostor(pemOf(box.folder.key.open()), certificate, certsOnly([genuine]));
    await expect((await TestBox.make()).enrol(disguised.url, token)).rejects.toEqual(refused('cloud_unavailable'));
    for (const { asked } of [alone, beside, disguised]) expect(asked).toEqual(['GET /.well-known/est/cacerts ']);
  });

  test('gets no word of an enrolled box', async () => {
    const fleet = await TestFleet.start();
    const box = await fleet.enrolled();
    const rogue = await TestFleetCa.make();
    const server = await rogue.server(['127.0.0.1']);
    const { url, asked } = await impostor(pemOf(server.key), server.certificate, certsOnly([await rogue.authority()]));
    box.folder.write({ ...box.folder.read(), cloud: url });
    await expect(renew(box.folder)).rejects.toEqual(refused('cloud_unavailable'));
    expect(asked).toEqual([]);
  });

  /** Whether an HSM is lost: what the quorum of the org has signed proves itself. */
  const SEARCH = 'GET /v1/link/recoveries ';

  test('closes no tenant of a box that its broker refuses, by saying that it is denied', async () => {
    const fleet = await TestFleet.start({ broker: 'embedded' });
    const [box, other] = [await fleet.enrolled(), await fleet.enrolled()];
    await fleet.trust(box);
    expect(await fleet.assign(box)).toMatchObject({ status: 201 });
    const { tenants, link } = await ConnectedBox.start(box);
    await expect.poll(() => tenants.get('hall').state, { timeout: 30_000 }).toBe('ready');
    expect(await fleet.ask('POST', `/devices/${box.id}/release`)).toMatchObject({ status: 200 });

    const denial = JSON.stringify({ code: 'device_denied', detail: 'This box is denied' });
    const server = await (await TestFleetCa.make()).server(['127.0.0.1']);
    const rogue = await impostor(pemOf(server.key), server.certificate, denial, 403);
    const disguised = await impostor(pemOf(other.folder.key.open()), other.folder.read().certificate, denial, 403);
    for (const { url, asked, count } of [rogue, disguised]) {
      box.folder.write({ ...box.folder.read(), cloud: url });
      await link.look();
      // The second time, what came of the first has been dealt with. It is told nothing, but for the question that anybody may answer.
      await expect.poll(() => count.connections - asked.length, { timeout: 60_000 }).toBeGreaterThanOrEqual(2);
      expect(new Set([...asked, SEARCH])).toEqual(new Set([SEARCH]));
    }
    expect(tenants.get('hall').state).toBe('ready');
  }, 150_000);
});

test('whatever is sent, the server for boxes answers and nothing fails inside it', async () => {
  const fleet = await TestFleet.start();
  const box = await fleet.enrolled();
  const { authorities, certificate } = box.folder.read();
  const key = box.folder.key.open();
  const token = await fleet.token();
  const { request } = await makeCertificateRequest(key);
  const { statement } = await box.state('A'.repeat(43));
  const cut = fc.nat(request.length).map((at) => request.slice(0, at));
  const body = fc.oneof(cut, fc.base64String(), fc.string(), fc.constant(request));
  const words = fc.oneof(fc.stringMatching(/^[\x21-\x7e]{0,80}$/), fc.constant(statement), fc.constant(token));
  const failed: string[] = [];
  await fc.assert(
    fc.asyncProperty(body, words, words, fc.boolean(), async (sent, password, stated, known) => {
      const client = new EstClient({ cloud: fleet.url, authorities, ...(known ? { credentials: { key, certificate } } : {}) });
      for (const ask of [() => client.enrol(password, stated, sent), () => client.renew(sent)]) {
        // An error from inside has no code of ours for the client.
        const code = await ask().then(
          () => 'done',
          (error: { code: string }) => error.code,
        );
        if (['internal', 'storage_failed', 'cloud_unavailable'].includes(code)) failed.push(`${code}: ${sent} ${password} ${stated}`);
      }
    }),
    { numRuns: 60 },
  );
  expect(failed).toEqual([]);
}, 60_000);

test('who tries tokens is slowed down, and what is too large or no EST is refused', async () => {
  const fleet = await TestFleet.start({ wrongTokens: 5 });
  const client = new EstClient({ cloud: fleet.url, authorities: await authoritiesOf(fleet) });
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const { request } = await makeCertificateRequest(key);
  await expect(client.enrol('x', 'x', request.repeat(100))).rejects.toEqual(refused('payload_too_large'));
  const tries = [];
  for (let tried = 0; tried < 8; tried += 1) tries.push(await client.enrol('x', 'x', request).catch(({ code }: { code: string }) => code));
  expect(tries.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => 'enrolment_token_rejected'));
  expect(tries.slice(5)).toEqual(Array.from({ length: 3 }, () => 'rate_limited'));
});
