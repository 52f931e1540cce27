import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempFolder } from '../../helpers/temp-folder.ts';

const ROOT = join(import.meta.dirname, '../../..');
const FOLDER = join(ROOT, 'systemd');
const UNITS = readdirSync(FOLDER).filter((name) => name.endsWith('.service'));
const INSTALLED = '/opt/securegate';
/** systemd's own programs, of Debian's package `systemd`; it need not run here. */
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

const read = (name: string): string => readFileSync(join(FOLDER, name), 'utf8');

/** What the unit says of a setting, in its order. */
function valuesOf(unit: string, name: string): string[] {
  return [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value);
}

function run(program: string, args: readonly string[]): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

test('there is a unit for the box, the KMS and the control plane', () => {
  expect(UNITS).toEqual(['securegate-cloud.service', 'securegate-kms.service', 'securegate.service']);
});

describe.each(UNITS)('%s', (name) => {
  const unit = read(name);

  test.skipIf(!hasSystemd)('is understood by systemd, each line of it (skipped where systemd is not installed)', async () => {
    const file = join(await tempFolder(), name);
    writeFileSync(file, unit.replaceAll(INSTALLED, ROOT));
    // Of a line that it does not know, it says so and ends with 0.
    expect(run('systemd-analyze', ['verify', '--man=no', file])).toEqual({ status: 0, said: '' });
  });

  test.skipIf(!hasSystemd)('keeps out what its service does not need (skipped where systemd is not installed)', () => {
    const { status, said } = run('systemd-analyze', ['security', '--offline=true', '--threshold=30', join(FOLDER, name)]);
    expect(status, said).toBe(0);
  });

  test('lets Node compile while it runs', () => {
    expect(valuesOf(unit, 'MemoryDenyWriteExecute')).toEqual([]);
  });

  test('starts a command that there is, with what it needs', async () => {
    const [program = '', ...args] = valuesOf(unit, 'ExecStart')[0]?.split(' ') ?? [];
    expect(program.startsWith(INSTALLED)).toBe(true);
    expect(statSync(program.replace(INSTALLED, ROOT)).mode & 0o111).toBe(0o111);
    const missing = join(await tempFolder(), 'none.json');
    const given = args.map((one) => (one.startsWith('/') ? missing : one));
    const { status, said } = run(process.execPath, [join(ROOT, 'provisioning/main.ts'), ...given]);
    expect({ status, said }).toEqual({ status: 1, said: expect.stringContaining('config_missing') });
  });

  test('says nothing that the program does not do: it neither tells that it is ready nor feeds a watchdog', () => {
    expect(valuesOf(unit, 'Type')).toEqual(['exec']);
    expect(valuesOf(unit, 'WatchdogSec')).toEqual([]);
  });

  test('stops the launcher alone, which passes the signal on: a second one would cut the draining short', () => {
    expect(valuesOf(unit, 'KillMode')).toEqual(['mixed']);
  });

  test('runs as a user of its own, which is made, and whose configuration it alone reads', () => {
    const [user = ''] = valuesOf(unit, 'User');
    expect(`${user}.service`).toBe(name);
    expect(read('sysusers.conf')).toMatch(new RegExp(`^u ${user} `, 'm'));
    expect(read('tmpfiles.conf')).toMatch(new RegExp(`^d /etc/${user} +0750 root +${user}$`, 'm'));
  });
});

test('the PIN of the HSM is given to the KMS alone, sealed', () => {
  const withCredentials = UNITS.filter((name) => read(name).includes('Credential'));
  expect(withCredentials).toEqual(['securegate-kms.service']);
  const kms = read('securegate-kms.service');
  expect(valuesOf(kms, 'LoadCredential(?:Encrypted)?')).toEqual(['user-pin:/etc/securegate-kms/user-pin.cred']);
  expect(kms).toContain('LoadCredentialEncrypted=user-pin:');
});

test('the KMS is asked by whom its group lets in: the control plane, and nobody beside it', () => {
  expect(valuesOf(read('securegate-kms.service'), 'RuntimeDirectoryMode')).toEqual(['0750']);
  const inGroup = UNITS.filter((name) => valuesOf(read(name), 'SupplementaryGroups').includes('securegate-kms'));
  expect(inGroup).toEqual(['securegate-cloud.service']);
});

test.skipIf(!hasSystemd || process.getuid?.() !== 0)(
  'users and folders are made as the files say (skipped where systemd is not installed, and for others than root)',
  async () => {
    const root = await tempFolder();
    for (const folder of ['etc', 'var/lib']) mkdirSync(join(root, folder), { recursive: true });
    expect(run('systemd-sysusers', [`--root=${root}`, join(FOLDER, 'sysusers.conf')]).status).toBe(0);
    expect(run('systemd-tmpfiles', ['--create', `--root=${root}`, join(FOLDER, 'tmpfiles.conf')])).toEqual({ status: 0, said: '' });
    const ids = new Map(
      readFileSync(join(root, 'etc/passwd'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split(':'))
        .map(([user = '', , uid, gid]) => [user, { uid: Number(uid), gid: Number(gid) }]),
    );
    for (const unit of UNITS) {
      const user = basename(unit, '.service');
      const { uid, gid, mode } = statSync(join(root, 'etc', user));
      expect({ uid, gid, mode: mode & 0o777 }).toEqual({ uid: 0, gid: ids.get(user)?.gid, mode: 0o750 });
    }
    const { uid, mode } = statSync(join(root, 'var/lib/securegate'));
    expect({ uid, mode: mode & 0o777 }).toEqual({ uid: ids.get('securegate')?.uid, mode: 0o700 });
  },
);
