import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../cloud/store/open-store.ts';
import { EstClient } from '../../edge/link/enrolment/est-client.ts';
import { leave } from '../../edge/link/enrolment/leave.ts';
import { renew } from '../../edge/link/enrolment/renew.ts';
import { Renewal } from '../../edge/link/enrolment/renewal.ts';
import { deviceFingerprint } from '../../shared/fleet/device-fingerprint.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import { TestBox, TestFleet } from '../helpers/fleet.ts';
import { startPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const DAY_MS = 86_400_000;
const refused = (code: string) => expect.objectContaining({ code });
const run = promisify(execFile);

/** The time of the control plane is moved; that of TLS is always the present, in which its certificates have to hold. */
const longAgo = (): number => Date.now() - 200 * DAY_MS;

/** A client with what the box holds now. */
function clientOf({ folder }: TestBox): EstClient {
  const { cloud, authorities, certificate } = folder.read();
  return new EstClient({ cloud, authorities, credentials: { key: folder.key.open(), certificate } });
}

/** Which authority issued the certificate that the server shows now. */
async function issuerOfServer(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { issuer } = socket.getPeerCertificate();
  socket.destroy();
  return String(issuer.CN);
}

describe('a box and its control plane', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  }, 60_000);
  afterAll(async () => postgres.stop());

  test.each(['SQLite and SoftHSM', 'Postgres and software'])(
    'enrolled, approved, renamed, let go and enrolled anew, on %s',
    async (what) => {
      const fleet = await TestFleet.start(
        what === 'SQLite and SoftHSM' ? { driver: 'softhsm' } : { address: { postgres: await postgres.database() } },
      );
      const box = await TestBox.make();
      const made = await fleet.ask('POST', '/enrolment-tokens', { name: 'Main door', hours: 2 });
      expect(made).toMatchObject({ status: 201, body: { name: 'Main door', state: 'open', device: null } });

      const enrolment = await box.enrol(fleet.url, made.body.token as string);
      expect(enrolment).toMatchObject({ device: box.id, org: 'acme', name: 'Main door', state: 'awaiting-approval', cloud: fleet.url });
      expect(enrolment).toMatchObject({ mqtt: 'mqtts://127.0.0.1:8883', commandKeys: [{ kty: 'EC' }], leaseKeys: [{ kty: 'EC' }] });
      const certificate = new X509Certificate(enrolment.certificate);
      expect(certificate.subject).toMatch(new RegExp(`^CN=${box.id}\\nserialNumber=[0-9a-f]{64}$`));
      expect(certificate.subjectAltName).toBe(`URI:urn:securegate:device:${box.id}`);
      expect(certificate.validToDate.getTime() - Date.now()).toBeLessThanOrEqual(14 * DAY_MS);

      const device = await fleet.ask('GET', `/devices/${box.id}`);
      expect(device).toMatchObject({
        status: 200,
        body: { id: box.id, name: 'Main door', state: 'awaiting-approval', fingerprint: enrolment.fingerprint, version: 1 },
      });
      expect(deviceFingerprint(device.body.wrap as string, device.body.jkt as string)).toBe(enrolment.fingerprint);
      expect((await fleet.ask('GET', '/enrolment-tokens')).body).toMatchObject({ items: [{ state: 'used', device: box.id }], next: null });

      expect(await fleet.assign(box)).toMatchObject({ status: 201 });
      expect(await clientOf(box).link()).toMatchObject({ state: 'active' });
      const renamed = await fleet.ask('PATCH', `/devices/${box.id}`, { name: 'Back door' }, { 'if-match': '"2"' });
      expect(renamed).toMatchObject({ status: 200, body: { name: 'Back door', state: 'active', version: 3 } });
      expect(await fleet.ask('PATCH', `/devices/${box.id}`, { name: 'Late' }, { 'if-match': '"2"' })).toMatchObject({ status: 412 });

      await leave(box.folder);
      expect(box.folder.find()).toBeUndefined();
      expect(await fleet.ask('GET', `/devices/${box.id}`)).toMatchObject({ body: { state: 'left', certificateEnds: null } });
      expect(await fleet.kms.client.call('assignedTenants', { org: 'acme', device: box.id })).toEqual([]);
      // The token that it came by counts no more, not even for itself; a new one does.
      await expect(box.enrol(fleet.url, made.body.token as string)).rejects.toEqual(refused('enrolment_token_rejected'));
      expect(await box.enrol(fleet.url, await fleet.token())).toMatchObject({ state: 'awaiting-approval', name: 'Front desk' });

      const operations = (await fleet.ask('GET', '/audit')).body.items.map(
        ({ operation, target, outcome }: Record<string, string>) => `${operation} ${target === box.id ? 'box' : 'other'} ${outcome}`,
      );
      expect(operations.filter((line: string) => line.startsWith('devices.')).reverse()).toEqual([
        'devices.enrol box done',
        'devices.change box done',
        'devices.change box version_conflict',
        'devices.leave box done',
        'devices.enrol other enrolment_token_rejected',
        'devices.enrol box done',
      ]);
    },
    60_000,
  );

  test('two control planes on one Postgres: one authority, and a token enrols one box wherever it is shown', async () => {
    const address = { postgres: await postgres.database() };
    const fleet = await TestFleet.start({ address });
    const other = await TestFleet.beside(fleet, address);
    expect((await fleet.asOperator('GET', '/v1/authorities')).body.items).toHaveLength(1);
    const token = await fleet.token();
    const boxes = await Promise.all(Array.from({ length: 4 }, () => TestBox.make()));
    const results = await Promise.allSettled(boxes.map((box, index) => box.enrol(index % 2 === 0 ? fleet.url : other, token)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const won = boxes.find((box) => box.folder.find() !== undefined);
    if (won === undefined) throw new Error('Nobody has enrolled');
    won.folder.write({ ...won.folder.read(), cloud: other });
    await renew(won.folder);
    expect((await fleet.ask('GET', '/devices')).body.items).toMatchObject([{ id: won.id }]);
  });

  test('a box that was assigned before it enrolled is active at once', async () => {
    const fleet = await TestFleet.start();
    const box = await fleet.enrolled();
    await fleet.assign(box);
    box.folder.clear();
    expect(await box.enrol(fleet.url, await fleet.token())).toMatchObject({ state: 'active' });
  });

  test('cut off on the way, the box enrols again with the same token, until that ends', async () => {
    let now = longAgo();
    const fleet = await TestFleet.start({ now: () => now });
    const box = await TestBox.make();
    const token = await fleet.token({ hours: 1 });
    const first = await box.enrol(fleet.url, token);
    // As if the certificate had never reached the disk: the key had, before it was used.
    const key = box.folder.key.open();
    box.folder.key.forget = () => undefined;
    box.folder.clear();
    const second = await box.enrol(fleet.url, token);
    expect(second.certificate).not.toBe(first.certificate);
    expect(box.folder.key.open().equals(key)).toBe(true);
    box.folder.clear();
    now += 3_600_000;
    await expect(box.enrol(fleet.url, token)).rejects.toEqual(refused('enrolment_token_rejected'));
  });

  test('a revoked token enrols nobody, and lists come page by page', async () => {
    const fleet = await TestFleet.start();
    const [one, two] = [await fleet.ask('POST', '/enrolment-tokens', {}), await fleet.ask('POST', '/enrolment-tokens', {})];
    expect(await fleet.ask('DELETE', `/enrolment-tokens/${one.body.id}`)).toMatchObject({ status: 204 });
    const box = await TestBox.make();
    await expect(box.enrol(fleet.url, one.body.token as string)).rejects.toEqual(refused('enrolment_token_rejected'));
    await box.enrol(fleet.url, two.body.token as string);
    await fleet.enrolled();
    const first = await fleet.ask('GET', '/devices?limit=1');
    const rest = await fleet.ask('GET', `/devices?limit=1&cursor=${first.body.next}`);
    expect([...first.body.items, ...rest.body.items]).toHaveLength(2);
    expect(rest.body.next).toBeNull();
    const { items } = (await fleet.ask('GET', '/enrolment-tokens')).body;
    expect(items.map(({ state }: { state: string }) => state).sort()).toEqual(['ended', 'used', 'used']);
    expect(JSON.stringify(items)).not.toContain('sge_');
  });

  test('EST as the standard has it, spoken by curl and read by openssl', async () => {
    const fleet = await TestFleet.start();
    const folder = await tempFolder();
    const at = (name: string): string => join(folder, name);
    const token = await fleet.token();
    const curl = (...args: string[]) => run('curl', ['--silent', '--show-error', '--fail-with-body', ...args]);
    const certificatesIn = async (file: string): Promise<string> => {
      await run('openssl', ['base64', '-d', '-in', at(file), '-out', at('der')]);
      return (await run('openssl', ['pkcs7', '-inform', 'der', '-in', at('der'), '-print_certs'])).stdout;
    };
    await curl('--insecure', `${fleet.url}/.well-known/est/cacerts`, '--output', at('cacerts'));
    await writeFile(at('ca.pem'), await certificatesIn('cacerts'));

    await run('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', at('key.pem')]);
    // What a request says of names is worth nothing.
    await run('openssl', ['req', '-new', '-key', at('key.pem'), '-subj', '/CN=box_of_somebody_else', '-outform', 'der', '-out', at('csr')]);
    await run('sh', ['-c', `base64 < ${at('csr')} > ${at('csr.b64')}`]);
    const hash = (await run('sh', ['-c', `openssl dgst -sha256 -binary ${at('csr')} | base64 | tr '+/' '-_' | tr -d '='`])).stdout.trim();
    const box = await TestBox.make();
    const { statement } = await box.state(hash);
    const post = ['--cacert', at('ca.pem'), '--header', 'Content-Type: application/pkcs10', '--data-binary', `@${at('csr.b64')}`];
    await curl(
      ...post,
      '--user',
      `x:${token}`,
      '--header',
      `SecureGate-Device: ${statement}`,
      '--output',
      at('cert'),
      `${fleet.url}/.well-known/est/simpleenroll`,
    );
    const certificate = await certificatesIn('cert');
    expect(certificate).toContain(`subject=CN = ${box.id}`);
    await writeFile(at('cert.pem'), certificate);
    const verified = await run('openssl', ['verify', '-purpose', 'sslclient', '-CAfile', at('ca.pem'), at('cert.pem')]);
    expect(verified.stdout).toContain('OK');

    const mutual = ['--cert', at('cert.pem'), '--key', at('key.pem')];
    const told = await curl('--cacert', at('ca.pem'), ...mutual, `${fleet.url}/v1/link`);
    expect(JSON.parse(told.stdout)).toMatchObject({ device: box.id, org: 'acme' });
    const { stdout: head } = await curl(
      ...post,
      ...mutual,
      '--output',
      at('again'),
      '--dump-header',
      '-',
      `${fleet.url}/.well-known/est/simplereenroll`,
    );
    expect(head).toMatch(/content-type: application\/pkcs7-mime; smime-type=certs-only/i);
    expect(await certificatesIn('again')).toContain(`subject=CN = ${box.id}`);
    const nobody = await run('curl', ['--silent', '--include', ...post, `${fleet.url}/.well-known/est/simpleenroll`]);
    expect(nobody.stdout).toMatch(/401[\s\S]*www-authenticate: Basic/i);
  });
});

describe('certificates end and are renewed', () => {
  test('one that has ended buys a new one for 90 days, and nothing else', async () => {
    let now = longAgo();
    const fleet = await TestFleet.start({ now: () => now });
    const box = await fleet.enrolled();
    const ends = new X509Certificate(box.folder.read().certificate).validToDate.getTime();
    now = ends - 1000;
    expect(await clientOf(box).link()).toMatchObject({ device: box.id });
    now = ends;
    await expect(clientOf(box).link()).rejects.toEqual(refused('certificate_rejected'));
    await expect(clientOf(box).leave()).rejects.toEqual(refused('certificate_rejected'));
    now = ends + 90 * DAY_MS - 1000;
    await renew(box.folder);
    expect(new X509Certificate(box.folder.read().certificate).validToDate.getTime()).toBeGreaterThan(now);
    expect(await clientOf(box).link()).toMatchObject({ device: box.id });

    const late = await fleet.enrolled();
    now = new X509Certificate(late.folder.read().certificate).validToDate.getTime() + 90 * DAY_MS;
    await expect(renew(late.folder)).rejects.toEqual(refused('certificate_rejected'));
  });

  test('the box renews by itself after two thirds of the life, also when the control plane comes back late', async () => {
    let now = longAgo();
    const fleet = await TestFleet.start({ now: () => now });
    const box = await fleet.enrolled();
    const serial = (): string => new X509Certificate(box.folder.read().certificate).serialNumber;
    const first = serial();
    const clock = { now: () => now, monotonic: () => performance.now() };
    const looks: number[] = [];
    const loop = (at: number): Renewal => {
      now = at;
      const logger = createLogger('edge', { level: 'silent' });
      // Where nothing is due, the box does not even open its key.
      const find = box.folder.find.bind(box.folder);
      box.folder.find = () => {
        looks.push(now);
        return find();
      };
      return new Renewal({ folder: box.folder, onRenewed: () => undefined, clock, random: () => 0, logger });
    };
    const early = loop(now + 9 * DAY_MS);
    await early.start();
    await expect.poll(() => looks.length, { timeout: 20_000 }).toBeGreaterThan(0);
    await early.stop();
    expect(serial()).toBe(first);
    const due = loop(now + DAY_MS);
    await due.start();
    await expect.poll(serial, { timeout: 20_000 }).not.toBe(first);
    await due.stop();
  });

  test('a control plane that was restored from a backup knows the newest certificates not, and takes them; boxes it does not know it refuses', async () => {
    const address = { file: join(await tempFolder(), 'cloud.db') };
    const fleet = await TestFleet.start({ address });
    const box = await fleet.enrolled();
    const store = await openStore(address);
    try {
      await store.db.deleteFrom('certificates').execute();
      await expect(clientOf(box).link()).resolves.toMatchObject({ device: box.id });
      await renew(box.folder);
      await store.db.deleteFrom('certificates').execute();
      await store.db.deleteFrom('devices').execute();
      await expect(clientOf(box).link()).rejects.toEqual(refused('certificate_rejected'));
    } finally {
      await store.close();
    }
  });

  test('a new authority: boxes that know the earlier one alone believe it, and none is lost', async () => {
    let now = longAgo();
    const fleet = await TestFleet.start({ now: () => now });
    const [awake, asleep] = [await fleet.enrolled(), await fleet.enrolled()];
    const tokenOfBefore = await fleet.token();
    const before = await fleet.asOperator('GET', '/v1/authorities');
    expect(before.body.items).toHaveLength(1);
    expect(await fleet.asOperator('POST', '/v1/authorities')).toMatchObject({ status: 201, body: { generation: 2, trustedUntil: null } });
    expect(await fleet.asOperator('POST', '/v1/authorities')).toMatchObject({ status: 409, body: { code: 'conflict' } });
    // The server takes a certificate of the new authority when it next looks; whoever knows the earlier one alone gets there.
    await expect.poll(() => issuerOfServer(fleet.url), { timeout: 20_000 }).toBe('SecureGate fleet 2');
    await renew(awake.folder);
    expect(new X509Certificate(awake.folder.read().certificate).issuer).toBe('CN=SecureGate fleet 2');
    expect(awake.folder.read().authorities).toHaveLength(2);
    const box = await TestBox.make();
    await box.enrol(fleet.url, tokenOfBefore);
    const another = await TestBox.make();
    await another.enrol(fleet.url, await fleet.token());

    now += (14 + 90) * DAY_MS - 60_000;
    await renew(asleep.folder);
    expect(new X509Certificate(asleep.folder.read().certificate).issuer).toBe('CN=SecureGate fleet 2');
    now += 2 * 60_000;
    expect((await fleet.asOperator('GET', '/v1/authorities')).body.items).toMatchObject([{ generation: 2 }]);
    await renew(asleep.folder);
    expect(asleep.folder.read().authorities).toHaveLength(1);
    expect((await fleet.asOperator('POST', '/v1/authorities')).status).toBe(201);
  }, 60_000);

  test('without a KMS the server says so, and serves boxes as soon as there is one', async () => {
    const fleet = await TestFleet.start();
    const box = await fleet.enrolled();
    await fleet.kms.stop();
    await expect(renew(box.folder)).rejects.toEqual(refused('kms_unavailable'));
    await fleet.kms.start();
    await renew(box.folder);
  });
});
