import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../models/registry/project-root.ts';

/** Where Debian's package `softhsm2` puts it. */
const LIBRARIES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
];
const ADDON = 'node_modules/pkcs11js/build/Release/pkcs11.node';

/** The library of SoftHSM2, where it is installed and the addon that speaks to it was compiled. */
export function findSoftHsm(): string | undefined {
  return existsSync(join(projectRoot(), ADDON)) ? LIBRARIES.find((path) => existsSync(path)) : undefined;
}
