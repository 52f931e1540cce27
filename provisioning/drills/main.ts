import { parseArgs } from 'node:util';
import { FAULTS } from './faults.ts';
import { type DrillResult, runDrills } from './run-drills.ts';

/** Entry of `npm run drill:faults`. */
const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
  },
});
const { json, quick, only } = values;
const faults = only === undefined ? FAULTS : FAULTS.filter(({ name }) => only.includes(name));
const results: DrillResult[] = [];
if (faults.length === 0) {
  process.stderr.write(`drill: no such fault; there are ${FAULTS.map(({ name }) => name).join(', ')}\n`);
  process.exit(2);
}
const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupt.abort());
await runDrills({
  faults,
  thoroughness: { powerCuts: quick ? 20 : 200 },
  say: (line) => void process.stderr.write(`drill: ${line}\n`),
  signal: interrupt.signal,
  onResult: (result) => {
    results.push(result);
    const { fault, expected, held, found, seconds } = result;
    const word = held === null ? 'skipped' : held ? 'held' : 'FELL';
    const line = json ? JSON.stringify(result) : `${word.padEnd(8)}${fault} (${seconds} s)\n        ${expected}\n        ${found}`;
    process.stdout.write(`${line}\n`);
  },
});
const tried = results.filter(({ held }) => held !== null);
const total = { faults: tried.length, held: tried.filter(({ held }) => held).length };
process.stdout.write(json ? `${JSON.stringify(total)}\n` : `${total.held} of ${total.faults} faults held\n`);
process.exitCode = total.held === total.faults && !interrupt.signal.aborted ? 0 : 1;
