import { Command } from 'commander';

interface Options {
  readonly once?: true;
  readonly json?: true;
  readonly keep?: true;
  readonly withCloud?: true;
}

export function demoCommand(): Command {
  return new Command('demo')
    .description('show the product at work: two venues, four cameras, guests and strangers')
    .option('--once', 'run a fixed stretch, judge it against its script and end; exit code 1 when a promise was broken')
    .option('--json', 'with --once: print the result as one JSON line')
    .option('--with-cloud', 'with a control plane, a KMS and a broker of its own, which tell the box what it has')
    .option('--keep', 'leave the folder of this run behind, with vaults and log')
    .addHelpText(
      'after',
      `
The first start fetches the models and six photographs and films four cameras from them; later starts find all of that.
Names and consents are made up; none of your cameras is touched.

Examples:
  npm run demo -- --once --json
  npm run demo -- --with-cloud`,
    )
    .action(async (options: Options, command: Command) => {
      if (options.json && !options.once) command.error('error: --json needs --once', { exitCode: 2 });
      const { runDemo } = await import('../demo/demo.ts');
      const good = await runDemo({
        once: options.once ?? false,
        json: options.json ?? false,
        keep: options.keep ?? false,
        withCloud: options.withCloud ?? false,
      });
      process.exitCode = good ? 0 : 1;
    });
}
