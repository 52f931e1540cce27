import { Command } from 'commander';
import { examine } from '../doctor/examine.ts';
import { formatFindings } from '../doctor/format-findings.ts';

/** `securegate doctor`: looks at everything the box needs and says what is wrong; exit code 1 when something fails. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check what this box needs to run, and say what is wrong')
    .option('--config <file>', 'check this configuration and its folders as well')
    .option('--json', 'print one JSON object: {"ok": ..., "findings": [...]}')
    .action(async (options: { config?: string; json?: true }) => {
      const findings = await examine(options.config);
      const ok = findings.every(({ state }) => state !== 'fail');
      process.stdout.write(
        options.json ? `${JSON.stringify({ ok, findings })}\n` : formatFindings(findings, process.stdout.isTTY === true),
      );
      if (!ok) process.exitCode = 1;
    });
}
