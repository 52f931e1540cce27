import { Command, Option } from 'commander';
import { OFFLINE_CASES } from './offline-cases.ts';
import { type OfflineResult, runOfflineDrill } from './run-offline-drill.ts';

interface Options {
  readonly only?: readonly string[];
  readonly quick?: true;
  readonly json?: true;
}

/** Entry of `npm run drill:offline`. */
const only = new Option('--only <name...>', 'these cases alone').choices(OFFLINE_CASES.map(({ name }) => name));
const options = new Command('npm run drill:offline --')
  .description('cut a box off from its cloud, turn its clock, its disk and its TPM back, and see when its tenants are open')
  .addOption(only)
  .option('--quick', 'one level of enforcement for some of the cases')
  .option('--json', 'print one JSON line a case and level of enforcement, and a last one with the total')
  .allowExcessArguments(false)
  .addHelpText('after', '\nExit codes: 0 all cases held, 1 one fell or the drill was interrupted, 2 wrong usage.')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .parse()
  .opts<Options>();
const { json = false, quick = false } = options;
const cases = OFFLINE_CASES.filter(({ name }) => options.only?.includes(name) ?? true);
const results: OfflineResult[] = [];
const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupt.abort());
await runOfflineDrill({
  cases,
  quick,
  say: (line) => void process.stderr.write(`drill: ${line}\n`),
  signal: interrupt.signal,
  onResult: (result) => {
    results.push(result);
    const { enforcement, expected, held, found, seconds } = result;
    const word = held === null ? 'skipped' : held ? 'held' : 'FELL';
    const line = json
      ? JSON.stringify(result)
      : `${word.padEnd(8)}${result.case}, ${enforcement} (${seconds} s)\n        ${expected}\n        ${found}`;
    process.stdout.write(`${line}\n`);
  },
});
const tried = results.filter(({ held }) => held !== null);
const total = { cases: tried.length, held: tried.filter(({ held }) => held).length };
process.stdout.write(json ? `${JSON.stringify(total)}\n` : `${total.held} of ${total.cases} cases held\n`);
process.exitCode = total.held === total.cases && !interrupt.signal.aborted ? 0 : 1;
