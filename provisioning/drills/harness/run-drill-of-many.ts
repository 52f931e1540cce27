import { Command, Option } from 'commander';
import { interruptSignal } from '../../terminal/interrupt-signal.ts';

/** What one thing came to that was tried. */
export interface Outcome {
  readonly expected: string;
  /** Null where it could not be tried, or not judged, here. */
  readonly held: boolean | null;
  /** What was seen, or what went wrong, or what is missing here. */
  readonly found: string;
  readonly seconds: number;
}

/** What of a drill is run, and who hears of it. */
export interface DrillRun<Thing, Result extends Outcome> {
  readonly things: readonly Thing[];
  /** The short drill. */
  readonly quick: boolean;
  /** Takes a line for people about what goes on. */
  readonly say: (line: string) => void;
  readonly onResult: (result: Result) => void;
  /** Aborted when it is to end early. */
  readonly signal: AbortSignal;
}

export interface DrillOfMany<Thing extends { readonly name: string }, Result extends Outcome> {
  /** By which it is run: `drill:faults`. */
  readonly script: string;
  readonly description: string;
  readonly things: readonly Thing[];
  readonly called: 'faults' | 'cases';
  readonly quickly: string;
  readonly run: (run: DrillRun<Thing, Result>) => Promise<void>;
  readonly titleOf: (result: Result) => string;
}

interface Options {
  readonly only?: readonly string[];
  readonly quick?: true;
  readonly json?: true;
}

/** Runs a drill as its command line says, prints what each thing came to, and says by the exit code whether all held. */
export async function runDrillOfMany<Thing extends { readonly name: string }, Result extends Outcome>({
  script,
  description,
  things,
  called,
  quickly,
  run,
  titleOf,
}: DrillOfMany<Thing, Result>): Promise<void> {
  const only = new Option('--only <name...>', `these ${called} alone`).choices(things.map(({ name }) => name));
  const options = new Command(`npm run ${script} --`)
    .description(description)
    .addOption(only)
    .option('--quick', quickly)
    .option('--json', 'print one JSON line for each, and a last one with the total')
    .allowExcessArguments(false)
    .addHelpText('after', `\nExit codes: 0 all ${called} held, 1 one fell or the drill was interrupted, 2 wrong usage.`)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .parse()
    .opts<Options>();
  const { json = false, quick = false } = options;
  const outcomes: boolean[] = [];
  const signal = interruptSignal();
  await run({
    things: things.filter(({ name }) => options.only?.includes(name) ?? true),
    quick,
    say: (line) => void process.stderr.write(`drill: ${line}\n`),
    signal,
    onResult: (result) => {
      const { expected, held, found, seconds } = result;
      if (held !== null) outcomes.push(held);
      const word = held === null ? 'skipped' : held ? 'held' : 'FELL';
      const words = `${word.padEnd(8)}${titleOf(result)} (${seconds} s)\n        ${expected}\n        ${found}`;
      process.stdout.write(`${json ? JSON.stringify(result) : words}\n`);
    },
  });
  const total = outcomes.length;
  const held = outcomes.filter(Boolean).length;
  process.stdout.write(json ? `${JSON.stringify({ [called]: total, held })}\n` : `${held} of ${total} ${called} held\n`);
  process.exitCode = held === total && !signal.aborted ? 0 : 1;
}
