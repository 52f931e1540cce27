// Builds the addon by which the KMS speaks to an HSM. Its package brings sources alone, and install scripts do not run here
// (.npmrc), so the compiler is called as the package's own binding.gyp would.
import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const PACKAGE = 'node_modules/pkcs11js';
const ADDON = 'build/Release/pkcs11.node';

/** @param {string} root */
export function hasPkcs11(root) {
  return existsSync(join(root, PACKAGE, ADDON));
}

/**
 * @param {string} root @param {string} node path of the Node program whose headers are used
 * @param {(program: string, args: string[], cwd: string) => Promise<void>} run
 */
export async function buildPkcs11(root, node, run) {
  const folder = join(root, PACKAGE);
  const draft = `${ADDON}.new`;
  await mkdir(join(folder, dirname(ADDON)), { recursive: true });
  const headers = join(dirname(dirname(node)), 'include/node');
  const sources = ['src/dl.cpp', 'src/common.cpp', 'src/main.cpp'];
  const defines = ['-DNODE_GYP_MODULE_NAME=pkcs11', '-DNAPI_DISABLE_CPP_EXCEPTIONS'];
  const how = ['-O2', '-std=c++17', '-shared', '-fPIC', '-fvisibility=hidden', ...defines];
  await run('g++', [...how, `-I${headers}`, '-Iincludes', ...sources, '-o', draft], folder);
  await rename(join(folder, draft), join(folder, ADDON));
}
