import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { twoPeople } from '../helpers/people.ts';
import { samplePhotos } from '../helpers/sample-photos.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

/** Each run loads the models, and the machine may be busy. */
const TIMEOUT_MS = 120_000;

const MAIN = join(import.meta.dirname, '../../provisioning/main.ts');

function securegate(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, 'eval', ...args], { encoding: 'utf8' });
}

/** Writes `<folder>/<person>/<picture>`. */
async function put(folder: string, name: string, content: Buffer | string): Promise<void> {
  await mkdir(join(folder, name, '..'), { recursive: true });
  await writeFile(join(folder, name), content);
}

/** Two people in two pictures each, in a folder of its own. */
async function twoPeopleIn(parent: string): Promise<string> {
  const folder = join(parent, 'portraits');
  for (const [index, person] of (await twoPeople()).entries()) {
    await put(folder, `person-${index}/enrolled.jpg`, person.toEnrol);
    await put(folder, `person-${index}/shown.jpg`, person.toShow);
  }
  return folder;
}

test(
  'two people in two pictures each: one JSON line of fixed form, and drawings without anybody in them',
  async () => {
    const parent = await tempFolder();
    const folder = await twoPeopleIn(parent);
    const before = await readdir(folder, { recursive: true });
    const { status, stdout } = securegate(folder, '--json', '--out', join(parent, 'drawn'));
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^\{"images":4,"detected":4,"genuine":2,"impostor":4,"eer":0,"tar":\{"1e-2":1,"1e-3":1\},"threshold":\{"1e-2":[-0-9.]+,"1e-3":[-0-9.]+\}\}\n$/,
    );
    const { threshold } = JSON.parse(stdout);
    expect(threshold['1e-3']).toBe(threshold['1e-2']);
    expect(Math.abs(threshold['1e-3'])).toBeLessThan(0.45);
    expect(await readdir(folder, { recursive: true })).toEqual(before);
    expect((await readdir(join(parent, 'drawn'))).toSorted()).toEqual(['look-at.json', 'roc.svg', 'scores.svg']);
    const lookAt = JSON.parse(await readFile(join(parent, 'drawn', 'look-at.json'), 'utf8'));
    expect(lookAt.refused).toEqual([]);
    const pictures = (pairs: { pictures: string[] }[]): string[][] => pairs.map((pair) => pair.pictures).toSorted();
    expect(pictures(lookAt.genuine)).toEqual([0, 1].map((person) => [`person-${person}/enrolled.jpg`, `person-${person}/shown.jpg`]));
    expect(lookAt.impostor).toHaveLength(4);
    for (const drawing of ['roc.svg', 'scores.svg']) {
      const svg = await readFile(join(parent, 'drawn', drawing));
      expect(await sharp(svg).metadata()).toMatchObject({ format: 'svg', width: 640 });
      expect(svg.toString()).not.toMatch(/person-|NaN|undefined|Infinity/);
    }
  },
  TIMEOUT_MS,
);

test(
  'what gives no face is counted and named, copies and what is no picture are left out, and it is said what to do',
  async () => {
    const parent = await tempFolder();
    const folder = await twoPeopleIn(parent);
    const [person] = await twoPeople();
    const [group = ''] = (await samplePhotos()).slice(4);
    const wall = sharp({ create: { width: 300, height: 300, channels: 3, background: '#765' } });
    await put(folder, 'person-0/wall.png', await wall.png().toBuffer());
    await put(folder, 'person-0/cut-off.jpg', person.toShow.subarray(0, 3000));
    await put(folder, 'person-0/same.jpg', person.toShow);
    await put(folder, 'person-0/text.jpg', 'no picture');
    await put(folder, 'person-1/notes.txt', 'left out');
    await put(folder, 'person-1/.hidden.jpg', 'not even counted');
    await put(
      folder,
      'only-once/1.webp',
      await sharp(await readFile(group))
        .extract({ left: 270, top: 780, width: 400, height: 480 })
        .webp()
        .toBuffer(),
    );
    await cp(group, join(folder, 'only-once/group.jpg'));
    await symlink(join(folder, 'gone.jpg'), join(folder, 'only-once/lost.jpg'));
    const { status, stdout, stderr } = securegate(folder, '--out', join(parent, 'out'));
    expect(status).toBe(0);
    expect(stdout).toContain('11 pictures of 3 people; 6 gave a face: 54.55 %');
    // Person 0 has three files of two pictures: 3 pairs but for the copy; with the others 3 * 2 + 3 + 2.
    expect(stdout).toContain(
      '3 pairs of one person, 11 pairs of different people\n1 pair left out: both files hold the same bytes\n1 file or folder left out',
    );
    for (const [reason, name] of [
      ['No face was found', 'person-0/wall.png'],
      ['damaged or cut off', 'person-0/cut-off.jpg'],
      ['neither JPEG, PNG nor WebP', 'person-0/text.jpg'],
      ['several faces', 'only-once/group.jpg'],
      ['cannot be read', 'only-once/lost.jpg'],
    ]) {
      expect(stdout).toMatch(new RegExp(`${reason}.*\\(1\\):\n {2}${name}\n`));
    }
    expect(stdout).toContain('Take matchThreshold 0.45');
    expect(stdout).toContain('11 pairs of different people are too few to tell 1 in 1000: that takes 3000');
    expect(stdout).toMatch(
      /are they in the right folder\?\n\n(?: +-?0\.\d{3} {2}person-\d\/\S+ {2}person-\d\/\S+\n){3}\n(?: +-?0\.\d{3} {2}\S+ {2}\S+\n){5}\n/,
    );
    const { refused } = JSON.parse(await readFile(join(parent, 'out', 'look-at.json'), 'utf8'));
    expect(refused).toContainEqual({ picture: 'person-0/wall.png', code: 'no_face' });
    expect(refused).toHaveLength(5);
    expect(stderr).toContain('pictures: 100 % (11 of 11)');
    // Of what takes seconds only a terminal is told.
    expect(stderr).not.toContain('pairs');
  },
  TIMEOUT_MS,
);

test(
  'too little to measure with is an error that says what is lacking',
  async () => {
    const folder = await tempFolder();
    const nothing = securegate(folder, '--json');
    expect(nothing).toMatchObject({ status: 1, stdout: '' });
    expect(JSON.parse(nothing.stderr).error).toMatchObject({ code: 'too_few_pictures', details: { images: 0 }, next: expect.any(String) });
    const [person, other] = await twoPeople();
    await put(folder, 'anna/1.jpg', person.toEnrol);
    await put(folder, 'anna/copy.jpg', person.toEnrol);
    await put(folder, 'ben/1.jpg', other.toEnrol);
    expect(securegate(folder).stderr).toMatch(/^error: There are no two different pictures of one person .*\[too_few_pictures\]$/m);
    await put(folder, 'anna/2.jpg', person.toShow);
    await writeFile(join(folder, 'ben/1.jpg'), 'nobody');
    expect(securegate(folder).stderr).toContain('no pictures of two people');
    const none = securegate(join(folder, 'none'), '--json');
    expect(JSON.parse(none.stderr).error).toMatchObject({ code: 'file_unreadable' });
    expect(securegate(folder, '--out', join(folder, 'drawn'))).toMatchObject({ status: 2, stdout: '' });
  },
  TIMEOUT_MS,
);

test(
  'Ctrl-C ends it at once and leaves nothing behind',
  async () => {
    const parent = await tempFolder();
    const folder = await twoPeopleIn(parent);
    for (let copy = 0; copy < 400; copy++) await symlink(join(folder, 'person-0/shown.jpg'), join(folder, `person-0/${copy}.jpg`));
    const child = spawn(process.execPath, [MAIN, 'eval', folder, '--out', join(parent, 'drawn')]);
    let told = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (!told.includes('pictures: 0 %') && `${told}${text}`.includes('pictures: 0 %')) child.kill('SIGINT');
      told += text;
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(code).toBe(1);
    expect(told).toContain('[stopped]');
    expect(told).not.toContain('100 %');
    expect(existsSync(join(parent, 'drawn'))).toBe(false);
  },
  TIMEOUT_MS,
);
