import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { Tpm } from '../../../../../../edge/runtime/tpm/tpm.ts';
import type { HeldLease } from '../../../../../../edge/vault/keys/lease/lease-cache.ts';
import { PersistedTime } from '../../../../../../edge/vault/keys/lease/persisted-time.ts';
import { TpmLeaseCache } from '../../../../../../edge/vault/keys/lease/tpm-lease-cache.ts';
import { newId } from '../../../../../../shared/ids/ids.ts';
import { hasSoftTpm, type SoftTpm, softTpm } from '../../../../../helpers/soft-tpm.ts';
import { tempFolder } from '../../../../../helpers/temp-folder.ts';

const NOON = Date.UTC(2026, 10, 22, 12);
const DAY = 24 * 3_600_000;
const device = newId('box');
const rolledBack = { code: 'lease_rolled_back' };
const refused = { code: 'lease_cache_failed' };

let tpm: SoftTpm;
/** The box's disk: `tpm` is the cache's folder. */
let disk: string;
let now: number;

interface Box {
  readonly tenant?: string;
  readonly pcrs?: string;
  readonly on?: SoftTpm;
}

/** As a vault that starts opens it. */
function cache({ tenant = 'hall', pcrs, on = tpm }: Box = {}): TpmLeaseCache {
  const time = new PersistedTime({ file: join(disk, 'time'), rtc: () => now, bootTime: () => 0 });
  time.start();
  return new TpmLeaseCache({ org: 'acme', tenant, device, folder: join(disk, tenant), tpm: new Tpm(on.tcti), pcrs, time });
}

/** A lease that ends a day after noon; only what the cache looks at is real in it. */
function lease(endsAt = NOON + DAY): HeldLease {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return {
    token: `${part({ alg: 'ES256' })}.${part({ exp: endsAt / 1000 })}.${randomBytes(64).toString('base64url')}`,
    tek: randomBytes(32),
  };
}

async function image(): Promise<string> {
  const to = join(await tempFolder(), 'image');
  await cp(disk, to, { recursive: true });
  return to;
}

async function putBack(from: string): Promise<void> {
  await rm(disk, { recursive: true });
  await cp(from, disk, { recursive: true });
}

async function counters(on = tpm): Promise<number> {
  return [...(await on.tool('tpm2_nvreadpublic')).matchAll(/^0x/gm)].length;
}

async function setTpmClock(ms: number): Promise<void> {
  await tpm.tool('tpm2_setclock', String(ms));
}

describe.skipIf(!hasSoftTpm)('a lease in the TPM', () => {
  beforeEach(async () => {
    now = NOON;
    disk = join(await tempFolder(), 'disk');
    await mkdir(join(disk, 'hall'), { recursive: true });
    await mkdir(join(disk, 'club'));
    tpm = await softTpm();
  });

  test('opens again for the next vault, after a restart of the machine and after a cut of its power', async () => {
    const held = lease();
    expect(await cache().load(1)).toBeUndefined();
    await cache().save(1, held);
    expect(await cache().load(1)).toEqual(held);
    await tpm.reboot();
    expect(await cache().load(1)).toEqual(held);
    await tpm.cut();
    await tpm.start();
    const opened = await cache().load(1);
    expect(opened).toEqual(held);
    expect(opened?.tek.buffer.byteLength, 'unpooled').toBe(32);
  });

  test('stands beside that of the next epoch, and is replaced by the next of its own', async () => {
    const [first, second, third] = [lease(), lease(), lease()];
    await cache().save(1, first);
    await cache().save(2, second);
    await cache().save(1, third);
    expect([await cache().load(1), await cache().load(2), await cache().load(3)]).toEqual([third, second, undefined]);
    expect(await readdir(join(disk, 'hall'))).toHaveLength(1);
  });

  test('tells its key to nobody: neither file nor command line holds it', async () => {
    const tools = await wrapped('tpm2_create', `echo "$@" >> ${join(disk, 'arguments')}\nexec /usr/bin/tpm2_create "$@"`);
    vi.stubEnv('PATH', `${tools}:${process.env.PATH}`);
    const held = lease();
    try {
      await cache().save(1, held);
    } finally {
      vi.unstubAllEnvs();
    }
    const [file = ''] = await readdir(join(disk, 'hall'));
    const written = (await readFile(join(disk, 'hall', file), 'utf8')) + (await readFile(join(disk, 'arguments'), 'utf8'));
    for (const encoding of ['hex', 'base64url', 'latin1'] as const) expect(written).not.toContain(held.tek.toString(encoding));
    expect(written).toContain('-i -');
  });

  test('of one tenant leaves another tenant on the same TPM alone', async () => {
    const [mine, theirs] = [lease(), lease()];
    await cache().save(1, mine);
    await cache({ tenant: 'club' }).save(1, theirs);
    await cache().save(1, mine);
    expect([await cache().load(1), await cache({ tenant: 'club' }).load(1)]).toEqual([mine, theirs]);
    expect(await counters()).toBe(2);
    await cache().forget();
    expect(await cache({ tenant: 'club' }).load(1)).toEqual(theirs);
    expect(await counters()).toBe(1);
  });

  test("of one tenant does not open as another tenant's", async () => {
    await cache().save(1, lease());
    await cache({ tenant: 'club' }).save(1, lease());
    await rm(join(disk, 'club'), { recursive: true });
    await cp(join(disk, 'hall'), join(disk, 'club'), { recursive: true });
    await expect(cache({ tenant: 'club' }).load(1)).rejects.toMatchObject(refused);
  });

  describe('does not open', () => {
    test('from a copy of the disk in another machine, whatever that machine has sealed itself', async () => {
      await cache().save(1, lease());
      const copy = await image();
      const other = await softTpm();
      await expect(cache({ on: other }).load(1)).rejects.toMatchObject(refused);
      // A counter of the same name and value, and a primary key of the same form.
      await cache({ on: other }).forget();
      await cache({ on: other }).save(1, lease());
      await putBack(copy);
      await expect(cache({ on: other }).load(1)).rejects.toMatchObject(refused);
    });

    test('from an older image of the disk', async () => {
      await cache().save(1, lease());
      const older = await image();
      await cache().save(1, lease());
      await putBack(older);
      await expect(cache().load(1)).rejects.toMatchObject({ ...rolledBack, message: expect.stringContaining('disk') });
    });

    test('from an older image whose number was changed to the present one', async () => {
      await cache().save(1, lease());
      const [older = ''] = await readdir(join(disk, 'hall'));
      const sealed = JSON.parse(await readFile(join(disk, 'hall', older), 'utf8'));
      await cache().save(1, lease());
      for (const file of await readdir(join(disk, 'hall'))) await rm(join(disk, 'hall', file));
      await writeFile(join(disk, 'hall', older), JSON.stringify({ ...sealed, counter: sealed.counter + 1 }));
      await expect(cache().load(1)).rejects.toMatchObject(refused);
    });

    test('from an older image for whoever asks the TPM with his own tools; from the present one it does', async () => {
      await cache().save(1, lease());
      const older = await image();
      await cache().save(1, lease());
      await expect(unsealByHand(join(older, 'hall'), ['counter', 'clock', 'resets'])).rejects.toThrow(/policynv/);
      await expect(unsealByHand(join(older, 'hall'), ['clock', 'resets'])).rejects.toThrow(/policy check failed/);
      await expect(unsealByHand(join(disk, 'hall'), ['counter', 'resets'])).rejects.toThrow(/policy check failed/);
      await expect(unsealByHand(join(disk, 'hall'), ['counter', 'clock'])).rejects.toThrow(/policy check failed/);
      expect(await unsealByHand(join(disk, 'hall'), ['counter', 'clock', 'resets'])).not.toBe('');
    });

    test('where the memory of the TPM was put back', async () => {
      await cache().save(1, lease());
      await tpm.cut();
      const state = join(await tempFolder(), 'state');
      await tpm.saveState(state);
      await tpm.start();
      await cache().save(1, lease());
      await tpm.cut();
      await tpm.restoreState(state);
      await tpm.start();
      await expect(cache().load(1)).rejects.toMatchObject({ ...rolledBack, message: expect.stringContaining('TPM') });
    });

    test('after the TPM was cleared', async () => {
      await cache().save(1, lease());
      await tpm.tool('tpm2_clear', '-c', 'p');
      await expect(cache().load(1)).rejects.toMatchObject(refused);
    });

    test('after it was forgotten, from a copy of the files, also when there is a new lease', async () => {
      await cache().save(1, lease());
      const copy = await image();
      await cache().forget();
      expect(await readdir(join(disk, 'hall'))).toEqual([]);
      expect(await counters()).toBe(0);
      await putBack(copy);
      await expect(cache().load(1)).rejects.toMatchObject(refused);
      await cache().save(1, lease());
      await putBack(copy);
      await expect(cache().load(1)).rejects.toMatchObject(rolledBack);
    });

    test('an epoch that was forgotten, while the next one does', async () => {
      const next = lease();
      await cache().save(1, lease());
      await cache().save(2, next);
      const copy = await image();
      await cache().forget(2);
      expect([await cache().load(1), await cache().load(2)]).toEqual([undefined, next]);
      await putBack(copy);
      await expect(cache().load(1)).rejects.toMatchObject(rolledBack);
    });

    test.each(['counter', 'clock', 'resets', 'public', 'private', 'leases', 'pcrs'])('when its %s was changed', async (field) => {
      await cache({ pcrs: 'sha256:8' }).save(1, lease());
      const [file = ''] = await readdir(join(disk, 'hall'));
      const path = join(disk, 'hall', file);
      const sealed = JSON.parse(await readFile(path, 'utf8'));
      for (const changed of field === 'pcrs' ? ['sha256:9', undefined] : bent(sealed[field])) {
        await writeFile(path, JSON.stringify({ ...sealed, [field]: changed }));
        await expect(cache().load(1)).rejects.toMatchObject({ code: expect.stringMatching(/^lease_(cache_failed|rolled_back)$/) });
      }
      await writeFile(path, JSON.stringify(sealed));
      expect(await cache().load(1)).toBeDefined();
    });

    test('when the box was started with another system', async () => {
      const held = lease();
      await cache({ pcrs: 'sha256:8' }).save(1, held);
      await tpm.tool('tpm2_pcrextend', `8:sha256=${'ab'.repeat(32)}`);
      await expect(cache({ pcrs: 'sha256:8' }).load(1)).rejects.toMatchObject({ ...refused, details: { pcrs: 'sha256:8' } });
      await tpm.reboot();
      expect(await cache({ pcrs: 'sha256:8' }).load(1)).toEqual(held);
    });
  });

  describe('on a disk that is put back with its mark of time, under a clock that is set back', () => {
    test("opens until the TPM's clock has come further than the lease is long", async () => {
      const held = lease();
      await cache().save(1, held);
      const copy = await image();
      await setTpmClock(DAY);
      await putBack(copy);
      expect(await cache().load(1), 'the TPM may be fast').toEqual(held);
      await setTpmClock(1.2 * DAY + 60_000);
      await putBack(copy);
      await expect(cache().load(1)).rejects.toMatchObject(rolledBack);
      await expect(setTpmClock(0), 'nobody sets it back').rejects.toThrow(/setclock/);
      await tpm.reboot();
      await expect(cache().load(1)).rejects.toMatchObject(rolledBack);
    });

    test('opens for 16 starts of the machine and no more, by which its clock could be held up', async () => {
      await cache().save(1, lease());
      for (let start = 1; start <= 16; start += 1) {
        await tpm.cut();
        await tpm.start();
      }
      expect(await cache().load(1)).toBeDefined();
      await tpm.cut();
      await tpm.start();
      await expect(cache().load(1)).rejects.toMatchObject({ ...refused, message: expect.stringContaining('16 times') });
      await cache().save(1, lease());
      expect(await cache().load(1), 'a new lease').toBeDefined();
    });

    test('a lease that ended in its time is none, and no attack', async () => {
      await cache().save(1, lease());
      await setTpmClock(2 * DAY);
      now = NOON + 2 * DAY;
      expect(await cache().load(1)).toBeUndefined();
    });
  });

  test('forgetting what is not there costs the TPM no write', async () => {
    await cache().save(2, lease());
    const [file = ''] = await readdir(join(disk, 'hall'));
    const before = await readFile(join(disk, 'hall', file));
    await cache().forget(2);
    expect(await readdir(join(disk, 'hall'))).toEqual([file]);
    expect(await readFile(join(disk, 'hall', file))).toEqual(before);
  });

  test('a new lease can be kept whatever became of the earlier one', async () => {
    await cache().save(1, lease());
    const older = await image();
    await cache().save(1, lease());
    await putBack(older);
    const held = lease();
    await cache().save(1, held);
    expect(await cache().load(1)).toEqual(held);
    for (const file of await readdir(join(disk, 'hall'))) await writeFile(join(disk, 'hall', file), 'rubbish');
    await expect(cache().load(1)).rejects.toMatchObject(refused);
    await cache().save(1, held);
    expect(await cache().load(1)).toEqual(held);
  });

  describe('when the vault is killed in the middle of a save', () => {
    test.each([
      ['before the counter moves, the earlier lease opens', 'kill -9 $PPID', 'earlier'],
      ['as soon as it has moved, the new one does', '/usr/bin/tpm2_nvincrement "$@"\nkill -9 $PPID', 'later'],
    ] as const)('%s', async (_what, then, expected) => {
      const leases = { earlier: lease(), later: lease() };
      await cache().save(1, leases.earlier);
      await saveInProcess(leases.later, await wrapped('tpm2_nvincrement', then));
      expect(await cache().load(1)).toEqual(leases[expected]);
      const next = lease();
      await cache().save(1, next);
      expect(await cache().load(1)).toEqual(next);
    });

    test('a copy of the file that was never used is closed by forgetting its epoch', async () => {
      await cache().save(1, lease());
      await cache().save(2, lease());
      await saveInProcess(lease(), await wrapped('tpm2_nvincrement', 'kill -9 $PPID'));
      const unused = await image();
      await cache().forget(2);
      await putBack(unused);
      await expect(cache().load(1)).rejects.toMatchObject(rolledBack);
    });
  });

  describe('a TPM', () => {
    test('that is locked after wrong passwords still serves: nothing here has one', async () => {
      const held = lease();
      await cache().save(1, held);
      await tpm.lockOut();
      expect(await tpm.tool('tpm2_getcap', 'properties-variable')).toMatch(/inLockout: +1/);
      expect(await cache().load(1)).toEqual(held);
      await cache().save(1, held);
    });

    test('that is away is told with what to do, and the lease is there when it is back', async () => {
      const held = lease();
      await cache().save(1, held);
      await tpm.cut();
      const away = { code: 'tpm_unavailable', details: { advice: expect.stringContaining('lease.tpm.tcti') } };
      await expect(cache().load(1)).rejects.toMatchObject(away);
      await expect(cache().save(1, lease())).rejects.toMatchObject(away);
      await expect(cache().forget()).rejects.toMatchObject(away);
      await tpm.start();
      expect(await cache().load(1)).toEqual(held);
    });

    test('is not needed to forget leases that are not there', async () => {
      await tpm.cut();
      await cache().forget();
    });

    test('with an owner password is told with what to do', async () => {
      await tpm.tool('tpm2_changeauth', '-c', 'owner', 'secret');
      await expect(cache().save(1, lease())).rejects.toMatchObject({
        code: 'tpm_unavailable',
        details: { advice: expect.stringContaining('tpm2_changeauth') },
      });
    });

    test('without room for another counter is told with what to do', async () => {
      const define = (size: number, index: number, kind = 'ordinary'): Promise<string> => {
        const attributes = `nt=${kind}|ownerread|ownerwrite`;
        return tpm.tool('tpm2_nvdefine', `0x${(0x0180_0000 + index).toString(16)}`, '-C', 'o', '-s', String(size), '-a', attributes);
      };
      let index = 0;
      for (const size of [2048, 256, 8]) while (await define(size, index).catch(() => false)) index += 1;
      // A TPM keeps some room for counters alone.
      while (await define(8, index, 'counter').catch(() => false)) index += 1;
      await expect(cache().save(1, lease())).rejects.toMatchObject({
        code: 'tpm_unavailable',
        details: { advice: expect.stringContaining('tpm2_nvundefine') },
      });
    });

    test('whose room others have taken is asked again', async () => {
      for (const context of ['a', 'b', 'c']) await tpm.tool('tpm2_createprimary', '-Q', '-C', 'o', '-G', 'ecc', '-c', context);
      await expect(tpm.tool('tpm2_createprimary', '-Q', '-C', 'o', '-G', 'ecc', '-c', 'd')).rejects.toThrow(/0x902/);
      const held = lease();
      await cache().save(1, held);
      expect(await cache().load(1)).toEqual(held);
    });

    test('without its tools is told with what to do', async () => {
      await cache().save(1, lease());
      vi.stubEnv('PATH', '/nowhere');
      try {
        await expect(cache().load(1)).rejects.toMatchObject({
          code: 'tpm_unavailable',
          details: { advice: expect.stringContaining('tpm2-tools') },
        });
      } finally {
        vi.unstubAllEnvs();
      }
    });
  });

  test('leaves nothing open in the TPM and no folder behind', async () => {
    const temporary = await tempFolder();
    vi.stubEnv('TMPDIR', temporary);
    try {
      await cache().save(1, lease());
      await cache().load(1);
    } finally {
      vi.unstubAllEnvs();
    }
    expect(await readdir(temporary)).toEqual([]);
    for (const handles of ['handles-transient', 'handles-loaded-session', 'handles-saved-session'])
      expect(await tpm.tool('tpm2_getcap', handles)).toBe('');
  });
});

/** What a thief does who has started his own system on the box: he asks its TPM for the key of a kept lease. */
async function unsealByHand(folder: string, conditions: ('counter' | 'clock' | 'resets')[]): Promise<string> {
  const [file = ''] = await readdir(folder);
  const sealed = JSON.parse(await readFile(join(folder, file), 'utf8'));
  const path = (name: string): string => join(disk, name);
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(sealed.counter));
  await writeFile(path('counter'), counter);
  await writeFile(path('pub'), Buffer.from(sealed.public, 'base64url'));
  await writeFile(path('priv'), Buffer.from(sealed.private, 'base64url'));
  const [index = ''] = /0x[0-9a-f]+/.exec(await tpm.tool('tpm2_nvreadpublic')) ?? [];
  const attributes = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt';
  const steps = {
    counter: ['tpm2_policynv', '-S', path('s'), '-i', path('counter'), index, 'eq'],
    clock: ['tpm2_policycountertimer', '-S', path('s'), '--ult', `clock=${sealed.clock}`],
    resets: ['tpm2_policycountertimer', '-S', path('s'), '--ult', `resets=${sealed.resets}`],
  };
  await tpm.tool('tpm2_createprimary', '-Q', '-C', 'o', '-g', 'sha256', '-G', 'ecc', '-a', attributes, '-c', path('p'));
  await tpm.tool('tpm2_load', '-Q', '-C', path('p'), '-u', path('pub'), '-r', path('priv'), '-c', path('k'));
  await tpm.tool('tpm2_flushcontext', '-t');
  await tpm.tool('tpm2_startauthsession', '--policy-session', '-S', path('s'));
  try {
    for (const condition of conditions) await tpm.tool(...(steps[condition] as [string, ...string[]]));
    return await tpm.tool('tpm2_unseal', '-c', path('k'), '-p', `session:${path('s')}`);
  } finally {
    await tpm.tool('tpm2_flushcontext', path('s'));
    await tpm.tool('tpm2_flushcontext', '-t').catch(() => '');
  }
}

/** Saves a lease of epoch 1 in a process of its own, which finds the tools of that folder first. */
async function saveInProcess({ token, tek }: HeldLease, tools: string): Promise<void> {
  const script = `
    import { PersistedTime } from ${JSON.stringify(source('vault/keys/lease/persisted-time.ts'))};
    import { TpmLeaseCache } from ${JSON.stringify(source('vault/keys/lease/tpm-lease-cache.ts'))};
    import { Tpm } from ${JSON.stringify(source('runtime/tpm/tpm.ts'))};
    const time = new PersistedTime({ file: ${JSON.stringify(join(disk, 'time'))}, rtc: () => ${now}, bootTime: () => 0 });
    time.start();
    const cache = new TpmLeaseCache({ org: 'acme', tenant: 'hall', device: '${device}', folder: ${JSON.stringify(join(disk, 'hall'))}, tpm: new Tpm('${tpm.tcti}'), time });
    await cache.save(1, { token: '${token}', tek: Buffer.from('${tek.toString('hex')}', 'hex') });`;
  const env = { ...process.env, PATH: `${tools}:${process.env.PATH}` };
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { env });
  await expect(run).rejects.toMatchObject({ signal: 'SIGKILL' });
}

function source(file: string): string {
  return join(import.meta.dirname, '../../../../../../edge', file);
}

/** A folder with a script in the place of a tool. */
async function wrapped(tool: string, script: string): Promise<string> {
  const folder = await tempFolder();
  await writeFile(join(folder, tool), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, tool), 0o755);
  return folder;
}

/** The same with one bit changed, at several places. */
function bent(value: string | number): (string | number)[] {
  if (typeof value === 'number') return [value + 1, value - 1];
  const bytes = Buffer.from(value, 'base64url');
  return [5, bytes.length >> 1, bytes.length - 1].map((at) => {
    const copy = Buffer.from(bytes);
    copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
    return copy.toString('base64url');
  });
}
