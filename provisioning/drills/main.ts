import { Command, Option } from 'commander';
import { FAULTS } from './faults.ts';
import { type DrillResult, runDrills } from './run-drills.ts';

interface Options {
  readonly only?: readonly string[];
  readonly quick?: true;
  readonly json?: true;
}

/** Entry of `npm run drill:faults`. */
const only = new Option('--only <name...>', 'these faults alone').choices(FAULTS.map(({ name }) => name));
const options = new Command('npm run drill:faults --')
  .description('break a box on purpose, one fault after the other, and see whether it holds what it promises')
  .addOption(only)
  .option('--quick', '10 power cuts instead of 200')
  .option('--json', 'print one JSON line a fault, and a last one with the total')
  .allowExcessArguments(false)
  .addHelpText('after', '\nExit codes: 0 all faults held, 1 one fell or the drill was interrupted, 2 wrong usage.')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .parse()
  .opts<Options>();
const { json = false, quick = false } = options;
const faults = FAULTS.filter(({ name }) => options.only?.includes(name) ?? true);
const results: DrillResult[] = [];
const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupt.abort());
await runDrills({
  faults,
  thoroughness: { powerCuts: quick ? 10 : 200 },
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
