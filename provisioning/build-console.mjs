// The operator's page is built from its sources, beside the project. Plain JavaScript for Node >= 18, as bootstrap.mjs.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const SOURCES = 'edge/console';
const STAMP = '.cache/console/.built-from';

/** @param {string} root */
async function sourcesHash(root) {
  const hash = createHash('sha256').update(await readFile(join(root, 'package-lock.json')));
  const names = await readdir(join(root, SOURCES), { recursive: true });
  // Folders have no ending.
  for (const name of names.filter((entry) => /\.\w+$/.test(entry)).sort())
    hash.update(name).update(await readFile(join(root, SOURCES, name)));
  return hash.digest('hex');
}

/**
 * Whether the page is there, built from the sources as they are now.
 * @param {string} root folder of the checkout
 */
export async function hasConsole(root) {
  if (!existsSync(join(root, SOURCES))) return true;
  return existsSync(join(root, STAMP)) && (await readFile(join(root, STAMP), 'utf8')) === (await sourcesHash(root));
}

/**
 * Builds the page into `.cache/console`, from where the daemon serves it.
 * @param {string} root folder of the checkout
 * @param {(args: string[]) => Promise<void>} runNode runs the project's Node with these arguments in `root`
 */
export async function buildConsole(root, runNode) {
  const hash = await sourcesHash(root);
  await runNode(['node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn', '--config', `${SOURCES}/vite.config.ts`, SOURCES]);
  // Written last, so that a killed build is repeated.
  await writeFile(join(root, STAMP), hash);
}
