import { Command } from 'commander';

export function edgeCommand(): Command {
  return new Command('edge')
    .description('run the box: watch the cameras and report sightings')
    .requiredOption('--config <file>', 'configuration of the box (JSON)')
    .option('--json', 'print an error that ends it as JSON as well')
    .addHelpText(
      'after',
      `
Events (ready, camera, sighting, stats) go to stdout, one JSON object a line; the log goes to stderr.
Stop with Ctrl-C or SIGTERM: the box drains and exits with 0.
Every field of the configuration: edge/config/REFERENCE.md

Example:
  securegate edge --config box.json | jq -c 'select(.type == "sighting")'`,
    )
    .action(async ({ config }: { config: string }) => {
      const { runEdge } = await import('../../edge/main.ts');
      process.exitCode = await runEdge(config);
    });
}
