import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listPictures } from '../../../../provisioning/eval/list-pictures.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

test('takes the pictures of each person in the order of their names, follows links and leaves out the rest', async () => {
  const folder = await tempFolder();
  for (const path of [
    'ben/2.PNG',
    'ben/10.jpeg',
    'anna/a.webp',
    'anna/.hidden.jpg',
    'anna/notes.txt',
    'anna/old/b.jpg',
    '.git/c.jpg',
    'loose.jpg',
  ]) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), '');
  }
  await mkdir(join(folder, 'nobody'));
  await symlink(join(folder, 'anna'), join(folder, 'clara'));
  await symlink(join(folder, 'ben/2.PNG'), join(folder, 'ben/link.png'));
  await symlink(join(folder, 'gone.jpg'), join(folder, 'ben/lost.jpg'));
  await symlink(folder, join(folder, 'anna/round.jpg'));
  const { pictures, leftOut } = await listPictures(folder);
  expect(pictures.map(({ name }) => name)).toEqual([
    'anna/a.webp',
    'ben/10.jpeg',
    'ben/2.PNG',
    'ben/link.png',
    'ben/lost.jpg',
    'clara/a.webp',
  ]);
  expect(pictures[0]).toEqual({ identity: 'anna', name: 'anna/a.webp', path: join(folder, 'anna/a.webp') });
  // The loose picture, and for Anna under each of her two names: the text, the folder and the link back to it all.
  expect(leftOut).toBe(1 + 2 * 3);
});

test('a folder that is not there, or is a file, is told', async () => {
  const folder = await tempFolder();
  await writeFile(join(folder, 'file'), '');
  for (const name of ['none', 'file']) {
    await expect(listPictures(join(folder, name))).rejects.toMatchObject({
      code: 'file_unreadable',
      details: { folder: join(folder, name) },
    });
  }
});
