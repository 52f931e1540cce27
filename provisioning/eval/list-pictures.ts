import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';

const ENDINGS = new Set(['.jpg', '.jpeg', '.png', '.webp']);

export interface Picture {
  /** Name of its folder. */
  readonly identity: string;
  /** Folder of the identity and name of the file, for people. */
  readonly name: string;
  readonly path: string;
}

/**
 * The pictures of a folder that holds one folder a person, in the order of their names. Links are followed; hidden entries,
 * folders within a person's folder and files of other endings are left out.
 * @returns `leftOut` counts what is there and was not taken, but for hidden entries
 * @throws {SecureGateError} `file_unreadable` the folder or one of its folders cannot be read
 */
export async function listPictures(folder: string): Promise<{ pictures: Picture[]; leftOut: number }> {
  const pictures: Picture[] = [];
  let leftOut = 0;
  for (const person of await visibleEntries(folder)) {
    const personFolder = join(folder, person.name);
    if (!(await isFolder(personFolder, person))) {
      leftOut += 1;
      continue;
    }
    for (const entry of await visibleEntries(personFolder)) {
      const path = join(personFolder, entry.name);
      const taken = ENDINGS.has(extname(entry.name).toLowerCase()) && !(await isFolder(path, entry));
      if (taken) pictures.push({ identity: person.name, name: join(person.name, entry.name), path });
      else leftOut += 1;
    }
  }
  return { pictures, leftOut };
}

async function visibleEntries(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new SecureGateError('file_unreadable', `cannot read the folder ${folder}`, { cause, details: { folder } });
  });
  // By code units: the same order on every machine.
  return entries.filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A link that leads nowhere is no folder; whoever reads it finds out. */
async function isFolder(path: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return stat(path).then(
    (target) => target.isDirectory(),
    () => false,
  );
}
