// A "resolved" address would tie everybody's install to the registry of whoever wrote the lock file last.
import { readFileSync } from 'node:fs';

const { packages } = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));
const entries = Object.entries(packages).filter(([path]) => path !== '');
const bound = entries.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => `${path}: has an address`);
const loose = entries.filter(([, { integrity }]) => integrity === undefined).map(([path]) => `${path}: has no integrity`);
for (const line of [...bound, ...loose]) console.error(line);
console.log(`lock file: ${entries.length} packages, ${bound.length} with an address, ${loose.length} without integrity`);
process.exitCode = entries.length > 0 && bound.length + loose.length === 0 ? 0 : 1;
