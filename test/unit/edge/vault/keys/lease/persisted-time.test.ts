import { mkdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { PersistedTime } from '../../../../../../edge/vault/keys/lease/persisted-time.ts';
import { tempFolder } from '../../../../../helpers/temp-folder.ts';

const HOUR = 3_600_000;
const NOON = Date.UTC(2026, 10, 22, 12);

/** A machine: its clock can be set, its time since the start cannot. */
class Machine {
  readonly file: string;
  rtc = NOON;
  bootTime = 5_000;

  constructor(folder: string) {
    this.file = join(folder, 'hall', 'time');
  }

  /** Running or suspended: CLOCK_BOOTTIME does not know the difference. */
  pass(ms: number): void {
    this.rtc += ms;
    this.bootTime += ms;
  }

  /** @param off time without power, as far as the machine's clock counts it */
  boot(off = 0): PersistedTime {
    this.rtc += off;
    this.bootTime = 5_000;
    const time = new PersistedTime({ file: this.file, rtc: () => this.rtc, bootTime: () => this.bootTime });
    time.start();
    return time;
  }
}

let machine: Machine;
beforeEach(async () => {
  machine = new Machine(await tempFolder());
});

describe('while it runs', () => {
  test('it moves with the time since the start, also through a suspend', () => {
    const time = machine.boot();
    machine.pass(8 * HOUR);
    expect(time.now()).toBe(NOON + 8 * HOUR);
  });

  test.each([-10, 10])('a clock that is set by %i hours changes nothing', (hours) => {
    const time = machine.boot();
    machine.rtc += hours * HOUR;
    expect(time.now()).toBe(NOON);
  });
});

describe('after a start', () => {
  test('a clock that was set back does not bring time back', async () => {
    const time = machine.boot();
    machine.pass(8 * HOUR);
    await time.persist();
    machine.rtc = NOON;
    expect(machine.boot().now()).toBe(NOON + 8 * HOUR);
  });

  test('nor does a dead clock, which says 1970', async () => {
    await machine.boot().persist();
    machine.rtc = 0;
    expect(machine.boot().now()).toBe(NOON);
  });

  test('time without power counts as the clock tells it', async () => {
    await machine.boot().persist();
    expect(machine.boot(30 * HOUR).now()).toBe(NOON + 30 * HOUR);
  });

  test.each([
    ['cut off', (file: string) => truncate(file, 5)],
    ['changed', async (file: string) => writeFile(file, (await readFile(file, 'latin1')).replace('1', '2'))],
    ['empty', (file: string) => truncate(file, 0)],
  ])('a mark that is %s ends every lease until a token is believed', async (_how, damage) => {
    await machine.boot().persist();
    await damage(machine.file);
    const time = machine.boot();
    expect(time.now()).toBeGreaterThan(NOON + 50 * 365 * 24 * HOUR);
    await time.believe(NOON);
    expect(machine.boot().now()).toBe(NOON);
  });

  test('a mark that cannot be read is told, not passed over', async () => {
    await machine.boot().persist();
    await rm(machine.file);
    await mkdir(machine.file);
    expect(() => machine.boot()).toThrow(expect.objectContaining({ code: 'storage_failed' }));
  });
});

describe('a clock that was far ahead at a start', () => {
  test('stays believed when it is corrected, until a token says otherwise; then the mark is lower too', async () => {
    machine.rtc += 365 * 24 * HOUR;
    await machine.boot().persist();
    machine.rtc = NOON;
    const time = machine.boot();
    expect(time.now()).toBe(NOON + 365 * 24 * HOUR);
    await time.believe(NOON);
    expect(time.now()).toBe(NOON);
    machine.pass(HOUR);
    expect(time.now()).toBe(NOON + HOUR);
    expect(machine.boot().now()).toBe(NOON + HOUR);
  });
});

test('its file is for its owner alone', async () => {
  await machine.boot().persist();
  expect((await stat(machine.file)).mode & 0o777).toBe(0o600);
});

test('a full or read-only disk is told, and time goes on', async () => {
  const time = machine.boot();
  await writeFile(join(machine.file, '..', '..', 'hall'), '');
  await expect(time.persist()).rejects.toMatchObject({ code: 'storage_failed' });
  await expect(time.believe(NOON - HOUR)).rejects.toMatchObject({ code: 'storage_failed' });
  expect(time.now()).toBe(NOON - HOUR);
});

test('whatever happens, in any order, time never goes back unless a token is believed', async () => {
  const ms = fc.integer({ min: 0, max: 400 * 24 * HOUR });
  const happening = fc.oneof(
    fc.record({ do: fc.constant('pass' as const), ms }),
    fc.record({ do: fc.constant('suspend' as const), ms }),
    fc.record({ do: fc.constant('set clock' as const), ms: fc.integer({ min: 0, max: 2 * NOON }) }),
    fc.record({ do: fc.constant('persist' as const) }),
    fc.record({ do: fc.constant('lose a mark' as const) }),
    fc.record({ do: fc.constant('reboot' as const), ms }),
    fc.record({ do: fc.constant('believe' as const), ms: fc.integer({ min: 0, max: 2 * NOON }) }),
  );
  const folder = await tempFolder();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 20 }), async (happenings) => {
      run += 1;
      const machine = new Machine(join(folder, String(run)));
      let time = machine.boot();
      /** What a restart must not fall below, and what this run must not. */
      let kept = 0;
      let seen = time.now();
      for (const it of happenings) {
        if (it.do === 'pass' || it.do === 'suspend') {
          machine.pass(it.ms);
          expect(time.now()).toBe(seen + it.ms);
        } else if (it.do === 'set clock') {
          machine.rtc = it.ms;
        } else if (it.do === 'persist') {
          await time.persist();
          kept = time.now();
        } else if (it.do === 'lose a mark') {
          // The power went between the draft and its renaming.
          await writeFile(`${machine.file}.new`, 'half', { flag: 'w' }).catch(() => undefined);
        } else if (it.do === 'reboot') {
          const rtc = machine.rtc + it.ms;
          time = machine.boot(it.ms);
          expect(time.now()).toBe(Math.max(kept, rtc));
          seen = time.now();
        } else {
          await time.believe(it.ms);
          kept = it.ms;
          seen = it.ms;
        }
        expect(time.now()).toBeGreaterThanOrEqual(seen);
        seen = time.now();
      }
    }),
    { numRuns: 150 },
  );
});
