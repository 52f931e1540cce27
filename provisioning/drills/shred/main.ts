import { Command } from 'commander';
import { prepare } from '../../demo/prepare.ts';
import { runShredDrill } from './run-shred-drill.ts';

/** Entry of `npm run drill:shred`. */
const { json = false } = new Command('npm run drill:shred --')
  .description('shred a tenant and erase a customer of another, and attack copies of everything, made before and after')
  .option('--json', 'print the result as one JSON line')
  .allowExcessArguments(false)
  .addHelpText('after', '\nExit codes: 0 nothing came back and nobody else noticed, 1 something is wrong, 2 wrong usage.')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .parse()
  .opts<{ readonly json?: true }>();
const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupt.abort());
const say = (line: string): void => void process.stderr.write(`drill: ${line}\n`);
const result = await runShredDrill({ prepared: await prepare(say), say, signal: interrupt.signal });
const { steps, recoverable, customerRecoverable, tenantBInterrupted, receipts, auditVerified } = result;
const held =
  steps.every(({ ok }) => ok) &&
  recoverable === false &&
  customerRecoverable === false &&
  tenantBInterrupted === false &&
  (receipts ?? 0) > 0 &&
  auditVerified === true;
process.stdout.write(json ? `${JSON.stringify(result)}\n` : `${held ? 'held' : 'FELL'}: ${JSON.stringify(result, null, 2)}\n`);
process.exitCode = held ? 0 : 1;
