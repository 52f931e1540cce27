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
  command.addCommand(
    new Command('hsm-loss')
      .description('destroy the HSM, and bring over to another one what living boxes hold and a quorum wants')
      .option('--json', 'print the result as one JSON line')
      .addHelpText(
        'after',
        `
Everything is made anew on loopback and thrown away: KMS on SoftHSM2, control plane, broker, and three boxes.
It takes about three minutes and needs Debian's softhsm2.`,
      )
      .action(async ({ json = false }: { readonly json?: boolean }) => {
        const { drillHsmLoss } = await import('../drills/hsm-loss/drill-hsm-loss.ts');
        process.exitCode = await drillHsmLoss(json);
      }),
  );
  return command;
}
