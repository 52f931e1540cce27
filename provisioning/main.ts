import { Command, CommanderError, Help, type Option } from 'commander';
import { readVersion } from '../shared/config/read-version.ts';
import { SecureGateError } from '../shared/errors/securegate-error.ts';
import { printError } from './print-error.ts';

/** Where the help stands as well. */
const MORE = 'More:';

/**
 * By what they are about, as the help lists them. A command's file is loaded when its command is called (or listed by the help): a broken
 * part must not take `doctor` with it.
 */
const COMMANDS: Readonly<Record<string, Readonly<Record<string, () => Promise<Command>>>>> = {
  'On a box:': {
    edge: async () => (await import('./commands/edge.ts')).edgeCommand(),
    doctor: async () => (await import('./commands/doctor.ts')).doctorCommand(),
    models: async () => (await import('./commands/models.ts')).modelsCommand(),
    'enrol-face': async () => (await import('./commands/enrol-face.ts')).enrolFaceCommand(),
    'admin-token': async () => (await import('./commands/admin-token.ts')).adminTokenCommand(),
    backup: async () => (await import('./commands/backup.ts')).backupCommand(),
    wipe: async () => (await import('./commands/wipe.ts')).wipeCommand(),
    eval: async () => (await import('./commands/eval.ts')).evalCommand(),
  },
  'A box and its control plane:': {
    enrol: async () => (await import('./commands/enrol.ts')).enrolCommand(),
    status: async () => (await import('./commands/status.ts')).statusCommand(),
    leave: async () => (await import('./commands/leave.ts')).leaveCommand(),
    lease: async () => (await import('./commands/lease.ts')).leaseCommand(),
    'camera-credential': async () => (await import('./commands/camera-credential.ts')).cameraCredentialCommand(),
    'device-keys': async () => (await import('./commands/device-keys.ts')).deviceKeysCommand(),
  },
  'Control plane and keys:': {
    cloud: async () => (await import('./commands/cloud.ts')).cloudCommand(),
    'org-keys': async () => (await import('./commands/org-keys.ts')).orgKeysCommand(),
    kms: async () => (await import('./commands/kms.ts')).kmsCommand(),
    'kms-key': async () => (await import('./commands/kms-key.ts')).kmsKeyCommand(),
    'kms-trust': async () => (await import('./commands/kms-trust.ts')).kmsTrustCommand(),
  },
  'Proofs:': {
    audit: async () => (await import('./commands/audit.ts')).auditCommand(),
    receipt: async () => (await import('./commands/receipt.ts')).receiptCommand(),
  },
  [MORE]: {
    demo: async () => (await import('./commands/demo.ts')).demoCommand(),
    drill: async () => (await import('./commands/drill.ts')).drillCommand(),
  },
};

const EXIT_CODES = `
Exit codes: 0 done, 1 failed (the error's code says why), 2 wrong usage.
Results go to stdout, everything else to stderr; with --json both are for programs.`;

async function main(args: readonly string[]): Promise<number> {
  const program = new Command('securegate')
    .description("Recognises consenting guests on the venue's own box.")
    .version(readVersion())
    .option('--verbose', 'show what lay below an error')
    .addHelpText('after', EXIT_CODES)
    // Wrong usage is told as every other error is.
    .configureOutput({ outputError: () => undefined })
    .configureHelp({ optionDescription })
    .commandsGroup(MORE)
    .exitOverride();
  const commands = Object.entries(COMMANDS).flatMap(([group, all]) => Object.entries(all).map(([name, load]) => ({ group, name, load })));
  const named = args.find((arg) => commands.some(({ name }) => name === arg));
  for (const { group, name, load } of commands) {
    if (named === undefined || named === name) adopt(program, (await load()).helpGroup(group));
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    const form = { json: args.includes('--json'), verbose: program.opts().verbose === true };
    if (!(error instanceof CommanderError)) {
      printError(error, form);
      return 1;
    }
    if (error.exitCode === 0) return 0;
    // A command without its subcommand has shown its help.
    if (error.code !== 'commander.help') printError(new SecureGateError('usage', error.message.replace(/^error: /, '')), form);
    return 2;
  }
}

/** What has to be given is told beforehand, and not by an error for each. */
function optionDescription(this: Help, option: Option): string {
  const told = Help.prototype.optionDescription.call(this, option);
  return option.mandatory && option.defaultValue === undefined ? `${told} (required)`.trim() : told;
}

/** Adds a command that was made elsewhere; its usage errors are to reach us as well. */
function adopt(parent: Command, command: Command): void {
  if (!parent.commands.includes(command)) parent.addCommand(command);
  command.copyInheritedSettings(parent);
  for (const child of command.commands) adopt(command, child);
}

process.exitCode = await main(process.argv.slice(2));
