// A "resolved" address would tie everybody's install to the registry of whoever wrote the lock file last. And npm leaves
// out an optional package that its registry does not have, after which "npm ci" refuses the file.
import { readFileSync } from 'node:fs';

const { packages } = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));
const entries = Object.entries(packages).filter(([path]) => path !== '');
const names = new Set(entries.map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)));
const faults = entries.flatMap(([path, { resolved, integrity, optionalDependencies = {} }]) => [
  ...(resolved === undefined ? [] : [`${path}: has an address`]),
  ...(integrity === undefined ? [`${path}: has no integrity`] : []),
  ...Object.keys(optionalDependencies)
    .filter((name) => !names.has(name))
    .map((name) => `${path}: lacks its optional ${name}`),
]);
for (const fault of faults) console.error(fault);
console.log(`lock file: ${entries.length} packages, ${faults.length} faults`);
process.exitCode = entries.length > 0 && faults.length === 0 ? 0 : 1;
