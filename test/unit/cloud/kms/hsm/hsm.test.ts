import { constants, createHash, createPublicKey, generateKeyPairSync, privateDecrypt, randomBytes, verify } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { KmsConfig } from '../../../../../cloud/kms/config/schema.ts';
import { readDeviceKey } from '../../../../../cloud/kms/hsm/device-key.ts';
import { type Cell, type Hsm, SIGNING_USES } from '../../../../../cloud/kms/hsm/hsm.ts';
import { openHsm } from '../../../../../cloud/kms/hsm/open-hsm.ts';
import { hasSoftHsm, softHsmToken } from '../../../../helpers/soft-hsm.ts';
import { tempFolder } from '../../../../helpers/temp-folder.ts';
import { kmsTrust, tokenTrust } from '../../../../helpers/trust.ts';

const refused = (code: string): unknown => expect.objectContaining({ code });
const cell = (epoch = 1, tenant = 'hall'): Cell => ({ org: 'acme', tenant, epoch });

/** A started HSM, and how its security officer is configured. */
interface Subject {
  readonly hsm: Hsm;
  readonly trust: object;
}

async function started(config: KmsConfig['hsm']): Promise<Hsm> {
  const hsm = await openHsm(config);
  await hsm.start();
  onTestFinished(() => hsm.stop());
  return hsm;
}

async function softHsm(): Promise<Subject> {
  const token = await softHsmToken();
  const { library, pinFile } = token;
  const config = { driver: 'pkcs11', library, token: token.token, pin: { file: pinFile }, sessions: 2, destroyHorizonDays: 7 } as const;
  return { hsm: await started(config), trust: tokenTrust(token) };
}

async function software(): Promise<Subject> {
  const folder = await tempFolder();
  const file = join(folder, 'master.key');
  await writeFile(file, randomBytes(32), { mode: 0o600 });
  const trustedKeys = join(folder, 'trusted');
  const config = { driver: 'software', keystore: join(folder, 'keys'), trustedKeys, masterKey: { file } } as const;
  return { hsm: await started(config), trust: { driver: 'software', trustedKeys } };
}

/** A device's RSA key pair. */
async function device(): Promise<{ pemFile: string; fingerprint: string; open: (wrapped: Buffer, oaepHash: string) => Buffer }> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const pemFile = join(await tempFolder(), 'device.pem');
  await writeFile(pemFile, pem);
  return {
    pemFile,
    fingerprint: readDeviceKey(pem).fingerprint,
    open: (wrapped, oaepHash) => privateDecrypt({ key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, wrapped),
  };
}

describe.each([
  { name: 'SoftHSM2 over PKCS#11', open: softHsm, there: hasSoftHsm },
  { name: 'the software keystore', open: software, there: true },
])('$name (skipped where it cannot be had)', ({ open, there }) => {
  const check = test.skipIf(!there);

  check('says what it is', async () => {
    const { hsm } = await open();
    await hsm.probe();
    const inside = hsm.title !== 'software, not an HSM';
    expect(hsm.capabilities).toEqual({
      wrapInHsm: inside,
      trustedWrap: inside,
      oaepHash: inside ? 'sha1' : 'sha256',
      destroyHorizonDays: inside ? 7 : null,
    });
    if (inside) expect(hsm.title).toMatch(/^SoftHSM 2\.\d+ \(PKCS#11\)$/);
  });

  check('a tenant key reaches a trusted device, the same each time, and another one for each epoch and tenant', async () => {
    const { hsm, trust } = await open();
    const box = await device();
    expect(await kmsTrust(trust, 'add', box.pemFile)).toEqual([box.fingerprint]);
    const keys = new Set<string>();
    for (const one of [cell(1), cell(2), cell(1, 'club')]) {
      await hsm.createCell(one);
      const wrapped = await hsm.createTek(one);
      expect(wrapped).toHaveLength(40);
      const { oaepHash } = hsm.capabilities;
      const first = box.open(await hsm.exportTek(one, wrapped, box.fingerprint), oaepHash);
      expect(first).toHaveLength(32);
      expect(box.open(await hsm.exportTek(one, wrapped, box.fingerprint), oaepHash)).toEqual(first);
      keys.add(first.toString('hex'));
    }
    expect(keys.size).toBe(3);
  });

  check('a device key is wrapped to from its registration on, until it is removed', async () => {
    const { hsm, trust } = await open();
    const [box, other] = [await device(), await device()];
    await hsm.createCell(cell());
    const wrapped = await hsm.createTek(cell());
    await expect(hsm.exportTek(cell(), wrapped, box.fingerprint)).rejects.toThrow(refused('device_untrusted'));
    await kmsTrust(trust, 'add', box.pemFile);
    await kmsTrust(trust, 'add', box.pemFile);
    expect(await kmsTrust(trust, 'list')).toEqual([box.fingerprint]);
    await hsm.exportTek(cell(), wrapped, box.fingerprint);
    await expect(hsm.exportTek(cell(), wrapped, other.fingerprint)).rejects.toThrow(refused('device_untrusted'));
    await kmsTrust(trust, 'remove', '--', box.fingerprint);
    await expect(hsm.exportTek(cell(), wrapped, box.fingerprint)).rejects.toThrow(refused('device_untrusted'));
  });

  check("a wrapped key opens under its own cell alone: not as another tenant's or epoch's, and not with any bit changed", async () => {
    const { hsm, trust } = await open();
    const box = await device();
    await kmsTrust(trust, 'add', box.pemFile);
    for (const one of [cell(1), cell(2), cell(1, 'club')]) await hsm.createCell(one);
    const wrapped = await hsm.createTek(cell(1));
    for (const foreign of [cell(2), cell(1, 'club')]) {
      await expect(hsm.exportTek(foreign, wrapped, box.fingerprint)).rejects.toThrow(refused('tek_rejected'));
    }
    for (let at = 0; at < wrapped.length; at += 1) {
      const changed = Buffer.from(wrapped);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      await expect(hsm.exportTek(cell(1), changed, box.fingerprint), `byte ${at}`).rejects.toThrow(refused('tek_rejected'));
    }
    for (const length of [0, 8, 16, 24, 32, 48]) {
      await expect(hsm.exportTek(cell(1), Buffer.alloc(length), box.fingerprint)).rejects.toThrow(refused('tek_rejected'));
    }
    await hsm.exportTek(cell(1), wrapped, box.fingerprint);
  });

  check('a cell is made once, and after its destruction nothing opens any more', async () => {
    const { hsm, trust } = await open();
    const box = await device();
    await kmsTrust(trust, 'add', box.pemFile);
    await expect(hsm.createTek(cell())).rejects.toThrow(refused('cell_gone'));
    await hsm.createCell(cell());
    await expect(hsm.createCell(cell())).rejects.toThrow(refused('conflict'));
    expect(await hsm.hasCell(cell())).toBe(true);
    expect(await hsm.hasCell(cell(2))).toBe(false);
    const wrapped = await hsm.createTek(cell());
    await hsm.destroyCell(cell());
    await hsm.destroyCell(cell());
    expect(await hsm.hasCell(cell())).toBe(false);
    await expect(hsm.exportTek(cell(), wrapped, box.fingerprint)).rejects.toThrow(refused('cell_gone'));
    await hsm.createCell(cell());
    await expect(hsm.exportTek(cell(), wrapped, box.fingerprint)).rejects.toThrow(refused('tek_rejected'));
  });

  check('keys survive a restart', async () => {
    const { hsm, trust } = await open();
    const box = await device();
    await kmsTrust(trust, 'add', box.pemFile);
    await hsm.createCell(cell());
    const wrapped = await hsm.createTek(cell());
    const key = await hsm.signingKey('audit');
    const before = box.open(await hsm.exportTek(cell(), wrapped, box.fingerprint), hsm.capabilities.oaepHash);
    await hsm.stop();
    await hsm.start();
    expect(box.open(await hsm.exportTek(cell(), wrapped, box.fingerprint), hsm.capabilities.oaepHash)).toEqual(before);
    expect(await hsm.signingKey('audit')).toEqual(key);
  });

  check('signs with a P-256 key for each use', async () => {
    const { hsm } = await open();
    const messages = [Buffer.from('command 1'), Buffer.from('command 2')];
    const keys = [];
    for (const use of SIGNING_USES) {
      const jwk = await hsm.signingKey(use);
      expect(await hsm.signingKey(use)).toEqual(jwk);
      const publicKey = createPublicKey({ key: jwk as never, format: 'jwk' });
      const signatures = await hsm.sign(use, messages);
      const fits = (about: Buffer): boolean[] =>
        signatures.map((signature) => verify('sha256', about, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature));
      expect(messages.map(fits), use).toEqual([
        [true, false],
        [false, true],
      ]);
      keys.push(createHash('sha256').update(JSON.stringify(jwk)).digest('hex'));
    }
    expect(new Set(keys).size).toBe(SIGNING_USES.length);
  });

  check('the number of the last change of the records only grows, and stays', async () => {
    const { hsm } = await open();
    expect(await hsm.recordsVersion()).toBe(0);
    for (const [to, then] of [
      [1, 1],
      [2, 2],
      [1, 2],
      [2 ** 40, 2 ** 40],
    ] as const) {
      await hsm.raiseRecordsVersion(to);
      expect(await hsm.recordsVersion()).toBe(then);
    }
    await hsm.stop();
    await hsm.start();
    expect(await hsm.recordsVersion()).toBe(2 ** 40);
  });

  check('the security officer accepts records of one number where another one is counted, and no other pair', async () => {
    const { hsm, trust } = await open();
    expect(await hsm.acceptsRecords(41, 44)).toBe(false);
    await kmsTrust(trust, 'accept-records', '41', '44');
    await kmsTrust(trust, 'accept-records', '41', '44');
    expect(await hsm.acceptsRecords(41, 44)).toBe(true);
    for (const [records, counted] of [
      [40, 44],
      [41, 45],
      [44, 41],
      [414, 4],
    ] as const) {
      expect(await hsm.acceptsRecords(records, counted)).toBe(false);
    }
    expect(await kmsTrust(trust, 'list'), 'no device key').toEqual([]);
  });

  check('many at once', async () => {
    const { hsm, trust } = await open();
    const box = await device();
    await kmsTrust(trust, 'add', box.pemFile);
    const made = await Promise.all(
      Array.from({ length: 20 }, async (_, epoch) => {
        await hsm.createCell(cell(epoch));
        const wrapped = await hsm.createTek(cell(epoch));
        return box.open(await hsm.exportTek(cell(epoch), wrapped, box.fingerprint), hsm.capabilities.oaepHash).toString('hex');
      }),
    );
    expect(new Set(made).size).toBe(20);
  });
});
