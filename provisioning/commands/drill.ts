import { Command } from 'commander';

/** `securegate drill`: whether what is promised holds, tried out on this machine. */
export function drillCommand(): Command {
  const command = new Command('drill').description('try out on this machine whether what is promised holds');
  command.addCommand(
    new Command('shred')
      .description('shred a tenant and erase a customer of another, and attack copies of everything, made before and after')
      .option('--json', 'print the result as one JSON line')
      .addHelpText(
        'after',
        `
Everything is made anew on loopback and thrown away: KMS on SoftHSM2, control plane, broker, and two boxes on footage, one with a software TPM.
It takes about four minutes and needs Debian's softhsm2, swtpm and tpm2-tools.`,
      )
      .action(async ({ json = false }: { readonly json?: boolean }) => {
        const { drillShred } = await import('../drills/shred/drill-shred.ts');
        process.exitCode = await drillShred(json);
      }),
  );
  return command;
}
