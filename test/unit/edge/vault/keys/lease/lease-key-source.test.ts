import { constants, generateKeyPairSync, privateDecrypt, randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { verifyEpochMoved } from '../../../../../../cloud/kms/epochs/verify-epoch-moved.ts';
import { verifyHandOver } from '../../../../../../cloud/kms/recovery/verify-hand-over.ts';
import { FileDeviceKeys } from '../../../../../../edge/vault/keys/device/file-device-keys.ts';
import type { LeaseCache } from '../../../../../../edge/vault/keys/lease/lease-cache.ts';
import { LeaseKeySource } from '../../../../../../edge/vault/keys/lease/lease-key-source.ts';
import { LeaseRequests } from '../../../../../../edge/vault/keys/lease/lease-requests.ts';
import { MemoryLeaseCache } from '../../../../../../edge/vault/keys/lease/memory-lease-cache.ts';
import { PersistedTime } from '../../../../../../edge/vault/keys/lease/persisted-time.ts';
import { StickRequestFile } from '../../../../../../edge/vault/keys/lease/stick-request-file.ts';
import { newId } from '../../../../../../shared/ids/ids.ts';
import { newUlid } from '../../../../../../shared/ids/ulid.ts';
import { ADMIN_SET_TYPE, type AdminSet } from '../../../../../../shared/lease/admin-set.ts';
import { EXPORT_REQUEST_TYPE } from '../../../../../../shared/lease/export-request.ts';
import type { LeaseAnswer } from '../../../../../../shared/lease/lease-answer.ts';
import { MOST_LEASE_SECONDS } from '../../../../../../shared/lease/lease-token.ts';
import type { PublicKey } from '../../../../../../shared/lease/public-key.ts';
import { MOST_RECOVERY_SECONDS, RECOVERY_TYPE, type Recovery } from '../../../../../../shared/lease/recovery.ts';
import { type AnswerChange, AnsweringKms } from '../../../../../helpers/answering-kms.ts';
import { adminSet, signSet, TestSigner } from '../../../../../helpers/kms.ts';
import { noteKeyPair } from '../../../../../helpers/secrecy/note-secret.ts';
import { tempFolder } from '../../../../../helpers/temp-folder.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 10, 22);
const TEK = randomBytes(32);
const ADMIN = new TestSigner();
const SAFE = [new TestSigner(), new TestSigner(), new TestSigner()];

const refused = (code: string, reason?: string): unknown =>
  expect.objectContaining({ code, ...(reason && { details: expect.objectContaining({ reason }) }) });
const nonce = (): string => randomBytes(32).toString('base64url');

/** A box whose clocks the test moves. `rtc` is read when a process starts, `boot` runs on. */
class MovedBox {
  readonly id: string;
  readonly folder: string;
  /** The keys by which its KMS signed before. */
  retired: readonly PublicKey[] = [];
  /** The keys of its org that it has pinned. */
  admins: AdminSet = adminSet('acme', 1, [ADMIN], SAFE);
  rtc = START;
  boot = 1000 * HOUR;

  constructor(folder: string, id = newId('box')) {
    this.folder = folder;
    this.id = id;
  }

  get device(): FileDeviceKeys {
    return FileDeviceKeys.open({ id: this.id, folder: join(this.folder, 'device'), dataDir: import.meta.dirname });
  }

  /** What a vault process makes when it starts. */
  source(kms: AnsweringKms, tenant = 'hall', cache: LeaseCache = new MemoryLeaseCache()): LeaseKeySource {
    const org = 'acme';
    const { device } = this;
    const time = new PersistedTime({ file: join(this.folder, 'time'), rtc: () => this.rtc, bootTime: () => this.boot });
    time.start();
    const stickFile = new StickRequestFile(this.stickFile, device);
    const requests = new LeaseRequests({ org, tenant, device, time, random: randomBytes, stickFile });
    const present = [kms.signer.jwk];
    const kmsKeys = () => ({ present, known: [...present, ...this.retired] });
    const believed = { kmsKeys, admins: () => this.admins };
    return new LeaseKeySource({ org, tenant, device, ...believed, requests, caches: [cache], time });
  }

  get stickFile(): string {
    return join(this.folder, 'request.json');
  }
}

let box: MovedBox;
let kms: AnsweringKms;
let source: LeaseKeySource;

beforeEach(async () => {
  box = new MovedBox(await tempFolder());
  kms = new AnsweringKms(START);
  source = box.source(kms);
});

const answer = async (change: AnswerChange = {}, request?: string): Promise<LeaseAnswer> =>
  kms.answer(request ?? (await source.request(nonce())), box.device.wrapKey, TEK, change);

/** Time goes by for the box and for the KMS. */
function pass(milliseconds: number): void {
  box.boot += milliseconds;
  box.rtc += milliseconds;
  kms.now += milliseconds;
}

describe('a lease', () => {
  test('gives the key for as long as it lives, and not a moment longer', async () => {
    await expect(source.provision()).rejects.toThrow(refused('lease_missing'));
    await expect(source.open(1)).rejects.toThrow(refused('lease_missing'));
    expect(source.lease).toBeUndefined();
    const held = { epoch: 1, newest: 1, enforcement: 'memory', issuedAt: START, endsAt: START + DAY };
    expect(await source.accept(await answer())).toEqual({ ...held, leftMs: DAY });
    expect(await source.provision()).toBe(1);
    const key = await source.open(1);
    expect(key).toEqual(TEK);
    key.fill(0);
    pass(DAY - 1);
    expect(await source.open(1), 'each has a copy of his own to wipe').toEqual(TEK);
    expect(source.lease).toEqual({ ...held, leftMs: 1 });
    pass(1);
    await expect(source.open(1)).rejects.toThrow(refused('lease_ended'));
    expect(source.lease?.leftMs).toBe(0);
  });

  test('is renewed by the next', async () => {
    await source.accept(await answer());
    pass(23 * HOUR);
    await source.accept(await answer());
    pass(23 * HOUR);
    expect(await source.open(1)).toEqual(TEK);
    expect(source.lease?.leftMs).toBe(HOUR);
  });

  test('of the next epoch lets the box say that it has moved, once nothing is held of the one before', async () => {
    await source.accept(await answer());
    (await source.open(1)).fill(0);
    await expect(source.sayMoved()).rejects.toThrow(refused('conflict'));
    await source.accept(await answer({}, await source.request(nonce(), 2)));
    (await source.open(2)).fill(0);
    await expect(source.sayMoved(), 'the key of epoch 1 is still here').rejects.toThrow(refused('conflict'));
    await source.retire(2);
    const [, claims = ''] = (await source.sayMoved()).split('.');
    const said = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as object;
    expect(said).toEqual({ aud: 'securegate-kms', sub: box.id, org: 'acme', tenant: 'hall', epoch: 2, iat: START / 1000 });
  });

  test('that lives in memory ends with the process', async () => {
    await source.accept(await answer());
    await expect(box.source(kms).open(1)).rejects.toThrow(refused('lease_missing'));
  });

  test('does not live longer where the clock of the machine is set back, then or after a reboot', async () => {
    await source.accept(await answer());
    box.rtc = START - 365 * DAY;
    box.boot += DAY;
    kms.now += DAY;
    await expect(source.open(1)).rejects.toThrow(refused('lease_ended'));
    await source.accept(await answer());
    const restarted = box.source(kms);
    const late = await kms.answer(await restarted.request(nonce()), box.device.wrapKey, TEK, {
      claims: { iat: START / 1000, exp: (START + DAY) / 1000 },
    });
    // Its nonce is this process's own: this is the one time that is believed although it is earlier.
    expect(await restarted.accept(late)).toMatchObject({ issuedAt: START, leftMs: DAY });
  });

  test('is believed about the time when the clock of the machine was far ahead', async () => {
    box.rtc = START + 1000 * DAY;
    source = box.source(kms);
    expect(await source.accept(await answer())).toMatchObject({ leftMs: DAY });
    expect(await source.open(1)).toEqual(TEK);
    pass(DAY);
    await expect(source.open(1)).rejects.toThrow(refused('lease_ended'));
  });

  test('is forgotten at once where it is to be', async () => {
    await source.accept(await answer());
    await source.forget();
    expect(source.lease).toBeUndefined();
    await expect(source.open(1)).rejects.toThrow(refused('lease_missing'));
  });
});

describe('the answer of a KMS', () => {
  test.each<[string, AnswerChange]>([
    ['org', { claims: { org: 'other' } }],
    ['tenant', { claims: { tenant: 'club' } }],
    ['device', { claims: { sub: newId('box') } }],
    ['epoch', { claims: { epoch: 2 } }],
    ['request', { claims: { nonce: nonce() } }],
    ['enforcement', { claims: { enforcement: 'tpm' } }],
    ['length', { claims: { exp: START / 1000 } }],
    ['length', { claims: { exp: START / 1000 + MOST_LEASE_SECONDS + 1 } }],
    ['form', { claims: { aud: 'securegate-kms' as 'securegate-box' } }],
    ['signature', { typ: EXPORT_REQUEST_TYPE }],
    ['signature', { signer: new TestSigner() }],
    ['seal', { sealedFor: { epoch: 2 } }],
    ['seal', { sealedFor: { tenant: 'club' } }],
    ['seal', { sealedFor: { nonce: nonce() } }],
    ['seal', { claims: { sealed: nonce() } }],
  ])('is refused for its %s: %o', async (reason, change) => {
    await source.accept(await answer());
    const before = source.lease;
    await expect(source.accept(await answer(change))).rejects.toThrow(refused('lease_rejected', reason));
    expect([source.lease, await source.open(1)], 'the lease that is there goes on').toEqual([before, TEK]);
  });

  test('is refused when a retired key has signed it, which holds for nothing but what it signed before', async () => {
    const next = new AnsweringKms(START);
    const cache = new MemoryLeaseCache();
    source = box.source(kms, 'hall', cache);
    await source.accept(await answer());
    box.retired = [kms.signer.jwk];
    source = box.source(next, 'hall', cache);
    expect(await source.open(1)).toEqual(TEK);
    const claims = { exp: START / 1000 + MOST_LEASE_SECONDS };
    await expect(source.accept(await answer({ claims }))).rejects.toThrow(refused('lease_rejected', 'signature'));
    expect(source.lease).toMatchObject({ endsAt: START + DAY });
    await source.accept(await next.answer(await source.request(nonce()), box.device.wrapKey, TEK));
  });

  test('counts once', async () => {
    const given = await answer();
    await source.accept(given);
    await expect(source.accept(given)).rejects.toThrow(refused('lease_rejected', 'request'));
  });

  test('is for the last request, and for the process that made it', async () => {
    const first = await answer();
    const second = await answer();
    await expect(source.accept(first)).rejects.toThrow(refused('lease_rejected', 'request'));
    await expect(box.source(kms).accept(second)).rejects.toThrow(refused('lease_rejected', 'request'));
    await source.accept(second);
  });

  test('is refused when it was held back: it would set the time back', async () => {
    const held = await answer();
    pass(2 * MINUTE + 1);
    await expect(source.accept(held)).rejects.toThrow(refused('lease_rejected', 'request'));
  });

  test("of another tenant of this box, or of another box's, opens nothing here", async () => {
    const club = box.source(kms, 'club');
    await expect(source.accept(await answer({}, await club.request(nonce())))).rejects.toThrow(refused('lease_rejected', 'tenant'));
    const other = new MovedBox(await tempFolder());
    const theirs = await kms.answer(await other.source(kms).request(nonce()), other.device.wrapKey, TEK);
    await expect(source.accept(theirs)).rejects.toThrow(refused('lease_rejected', 'device'));
  });

  test('with a key that somebody on the way put in the place of the genuine one is refused', async () => {
    const request = await source.request(nonce());
    const genuine = await answer({}, request);
    const forged = await kms.answer(request, box.device.wrapKey, randomBytes(32));
    await expect(source.accept({ ...forged, lease: genuine.lease })).rejects.toThrow(refused('lease_rejected', 'seal'));
    await source.accept(genuine);
  });

  test('with a key that is none is refused', async () => {
    const short = await kms.answer(await source.request(nonce()), box.device.wrapKey, randomBytes(16));
    await expect(source.accept(short)).rejects.toThrow(refused('lease_rejected', 'seal'));
  });
});

describe('what lies in a cache', () => {
  test.each<[string, AnswerChange]>([
    ['signature', { signer: new TestSigner() }],
    ['tenant', { claims: { tenant: 'club' } }],
    ['device', { claims: { sub: newId('box') } }],
    ['epoch', { claims: { epoch: 2 } }],
    ['enforcement', { claims: { enforcement: 'tpm' } }],
  ])('is checked as what comes from the KMS: %s', async (reason, change) => {
    const cache = new MemoryLeaseCache();
    const { lease: token } = await answer(change);
    await cache.save(1, { token, tek: TEK });
    await expect(box.source(kms, 'hall', cache).open(1)).rejects.toThrow(refused('lease_rejected', reason));
  });

  test('is not worth more than when it came', async () => {
    const cache = new MemoryLeaseCache();
    const { lease: token } = await answer();
    await cache.save(1, { token, tek: TEK });
    pass(DAY);
    await expect(box.source(kms, 'hall', cache).open(1)).rejects.toThrow(refused('lease_ended'));
  });
});

describe('an epoch move', () => {
  test('finds the key of the next epoch once its lease is there, and forgets that of the last', async () => {
    await source.accept(await answer());
    await source.open(1);
    await expect(source.prepare(2)).rejects.toThrow(refused('lease_missing'));
    const next = randomBytes(32);
    await source.accept(await kms.answer(await source.request(nonce(), 2), box.device.wrapKey, next));
    expect(await source.prepare(2)).toBe(2);
    expect(source.lease?.epoch, 'not moved yet').toBe(1);
    expect(await source.open(2)).toEqual(next);
    await source.retire(2);
    await expect(source.open(1)).rejects.toThrow(refused('lease_missing'));
    expect(await source.open(2)).toEqual(next);
    expect(source.lease?.epoch).toBe(2);
  });
});

test('moves to the newest epoch of which there is a lease, never to one before that to which a move was begun, and asks for it on a stick', async () => {
  await source.accept(await answer({ claims: { newest: 4 } }));
  await source.open(1);
  const asked = async (): Promise<unknown[]> => (await source.requestOnStick()).requests.map((token) => decodeJwt(token).epoch);
  expect(await asked()).toEqual([1, 4]);
  for (const epoch of [3, 4]) await source.accept(await answer({}, await source.request(nonce(), epoch)));
  expect(await source.prepare(2)).toBe(4);
  await expect(source.prepare(5)).rejects.toThrow(refused('lease_missing'));
});

describe('the key for another HSM, after the loss of the one that it came from', () => {
  const hsm = noteKeyPair('transport key', generateKeyPairSync('rsa', { modulusLength: 2048 }));
  const signs = new TestSigner().jwk;
  const recovery = (): Recovery => ({
    id: newUlid(START),
    org: 'acme',
    iat: START / 1000,
    exp: (START + DAY) / 1000,
    tenants: [{ tenant: 'hall', epoch: 1 }],
    transport: { key: hsm.publicKey.export({ type: 'spki', format: 'pem' }).toString(), oaepHash: 'sha256' },
    keys: { commands: signs, leases: signs, audit: signs },
    authorities: [],
  });
  const handOver = async (change: Partial<Recovery> = {}, signers = SAFE.slice(1), type = RECOVERY_TYPE): Promise<string> =>
    await source.handOver(await signSet({ ...recovery(), ...change }, signers, type));

  beforeEach(async () => {
    await source.accept(await answer());
    await source.open(1);
  });

  test('is wrapped to it, and signed by the box, where enough recovery keys want that', async () => {
    const given = await verifyHandOver(await handOver());
    expect(given).toMatchObject({ device: box.id, org: 'acme', tenant: 'hall', epoch: 1 });
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    expect(privateDecrypt({ key: hsm.privateKey, padding, oaepHash: 'sha256' }, given.tek)).toEqual(TEK);
  });

  test('is given to nobody for less: neither to who runs the cloud, nor to one of two, nor to an admin, nor to another org', async () => {
    const [, one] = SAFE as [TestSigner, TestSigner];
    for (const [who, signers] of Object.entries({
      'the operator of the cloud': [new TestSigner(), new TestSigner()],
      'one of two': [one],
      'one of two, twice': [one, one],
      'one of two and an admin': [one, ADMIN],
    })) {
      await expect(handOver({}, signers), who).rejects.toThrow(refused('recovery_rejected'));
    }
    await expect(handOver({}, SAFE, ADMIN_SET_TYPE), 'what they signed as something else').rejects.toThrow(refused('recovery_rejected'));
    box.admins = adminSet('rival', 1, [ADMIN], SAFE);
    await expect(handOver({ org: 'rival' }), 'the keys of another org').rejects.toThrow(refused('recovery_rejected'));
  });

  test('is not exchanged on the way: what is signed names the HSM, the tenant and the epoch', async () => {
    const thief = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const { signatures } = await signSet(recovery(), SAFE, RECOVERY_TYPE);
    const payload = Buffer.from(JSON.stringify({ ...recovery(), transport: { key: thief, oaepHash: 'sha256' } })).toString('base64url');
    await expect(source.handOver({ payload, signatures })).rejects.toThrow(refused('recovery_rejected'));
    await expect(handOver({ tenants: [{ tenant: 'club', epoch: 1 }] })).rejects.toThrow(refused('recovery_rejected'));
    await expect(handOver({ tenants: [{ tenant: 'hall', epoch: 2 }] })).rejects.toThrow(refused('recovery_rejected'));
  });

  test('is given while what was signed holds, and while the box itself has a lease', async () => {
    await expect(handOver({ exp: START / 1000 })).rejects.toThrow(refused('recovery_rejected'));
    await expect(handOver({ exp: START / 1000 + MOST_RECOVERY_SECONDS + 1 })).rejects.toThrow(refused('recovery_rejected'));
    pass(DAY);
    await expect(handOver(), 'by the time that this box trusts').rejects.toThrow(refused('recovery_rejected'));
    await expect(handOver({ exp: (START + 2 * DAY) / 1000 })).rejects.toThrow(refused('lease_ended'));
  });
});

describe('a request on a stick', () => {
  /** That for the epoch in use. */
  const onStick = async (): Promise<string> => (await source.requestOnStick()).requests[0] ?? '';

  test('is answered days later, also after a restart, and once', async () => {
    const request = await onStick();
    pass(6 * DAY);
    source = box.source(kms);
    const given = await answer({}, request);
    expect(await source.accept(given)).toMatchObject({ leftMs: DAY });
    expect(await source.open(1)).toEqual(TEK);
    await expect(source.accept(given)).rejects.toThrow(refused('lease_rejected', 'request'));
    await expect(box.source(kms).accept(given)).rejects.toThrow(refused('lease_rejected', 'request'));
    const waiting = JSON.parse(await readFile(box.stickFile, 'utf8')) as { epoch: number }[];
    expect(
      waiting.map(({ epoch }) => epoch),
      'its one-use key is gone',
    ).toEqual([2]);
  });

  test('is one for the epoch in use and one for the next; when both are answered, nothing of them is left', async () => {
    const { requests, moved } = await source.requestOnStick();
    expect([requests.length, moved]).toEqual([2, null]);
    const next = randomBytes(32);
    const [first, second] = [await answer({}, requests[0]), await kms.answer(requests[1] ?? '', box.device.wrapKey, next)];
    expect(await source.accept(first)).toMatchObject({ epoch: 1 });
    expect(await source.accept(second)).toMatchObject({ epoch: 2 });
    expect(await readdir(box.folder)).not.toContain('request.json');
    await source.open(1);
    expect((await source.requestOnStick()).moved, 'before it has moved').toBeNull();
    await source.open(2);
    expect((await source.requestOnStick()).moved, 'while the key before is held').toBeNull();
    await source.retire(2);
    const stick = await source.requestOnStick();
    expect(stick.requests.map((token) => decodeJwt(token).epoch)).toEqual([2, 3]);
    expect(await verifyEpochMoved(stick.moved ?? '')).toMatchObject({ device: box.id, org: 'acme', tenant: 'hall', epoch: 2 });
    source = box.source(kms);
    await expect(source.open(2)).rejects.toThrow(refused('lease_missing'));
    expect((await source.requestOnStick()).moved, 'by a vault that is not open').toBeNull();
  });

  test('does not set time back by how long the stick was on its way', async () => {
    const given = await answer({}, await onStick());
    pass(23 * HOUR);
    expect(await source.accept(given)).toMatchObject({ leftMs: HOUR });
  });

  test('is refused when its lease ended on the way', async () => {
    const given = await answer({}, await onStick());
    pass(DAY);
    await expect(source.accept(given)).rejects.toThrow(refused('lease_rejected', 'ended'));
  });

  test('waits for a week, and no longer than until the next one', async () => {
    const first = await onStick();
    const second = await onStick();
    await expect(source.accept(await answer({}, first))).rejects.toThrow(refused('lease_rejected', 'request'));
    pass(7 * DAY + 1);
    await expect(source.accept(await answer({}, second))).rejects.toThrow(refused('lease_rejected', 'request'));
  });

  test('leaves no key on the disk that opens its answer without the device', async () => {
    const request = await onStick();
    const given = await answer({}, request);
    const stored = await readFile(box.stickFile, 'utf8');
    const thief = new MovedBox(await tempFolder(), box.id);
    await writeFile(thief.stickFile, stored);
    await expect(thief.source(kms).accept(given)).rejects.toThrow(refused('lease_rejected'));
  });
});
