import { join } from 'node:path';
import { Command } from 'commander';
import { readHidden } from '../terminal/read-hidden.ts';

interface Options {
  readonly config: string;
  readonly json?: true;
}

interface Setting extends Options {
  readonly host: readonly string[];
}

/** `securegate camera-credential`: user and password of a camera whose address comes from the control plane. */
export function cameraCredentialCommand(): Command {
  return new Command('camera-credential')
    .description('users and passwords of cameras that the control plane knows by name alone')
    .addCommand(setCommand())
    .addCommand(listCommand())
    .addCommand(removeCommand());
}

function setCommand(): Command {
  return commandOf('set')
    .description('put user:password of a camera into the key folder of this box, under a name; asks for it, or reads it from stdin')
    .argument('<name>', 'the `credential` of the camera')
    .requiredOption('--host <host...>', 'to which alone they are sent: addresses, networks (192.168.10.0/24) or names of cameras')
    .option('--json', 'print an error as JSON')
    .addHelpText('after', '\nTo be called as the user of the daemon. A running box takes it within five minutes.')
    .action(async (name: string, { config, host }: Setting) => {
      const { folder, keepCameraCredential } = await credentialsOf(config);
      keepCameraCredential(folder, name, await readHidden(process.stdin, process.stderr, 'user:password of the camera: '), host);
      process.stdout.write(`The credential ${name} is on this box.\n`);
    });
}

function listCommand(): Command {
  return commandOf('list')
    .description('the names of those on this box')
    .option('--json', 'print the names as JSON')
    .action(async ({ config, json }: Options) => {
      const { folder, cameraCredentials } = await credentialsOf(config);
      const names = cameraCredentials(folder).toSorted();
      process.stdout.write(json ? `${JSON.stringify({ credentials: names })}\n` : names.map((name) => `${name}\n`).join(''));
    });
}

function removeCommand(): Command {
  return commandOf('rm')
    .description('take one away')
    .argument('<name>', 'the `credential` of the camera')
    .option('--json', 'print an error as JSON')
    .addHelpText(
      'after',
      '\nA camera that was set up with it keeps it, in the encrypted vault of its tenant, until the camera is taken away.',
    )
    .action(async (name: string, { config }: Options) => {
      const { folder, removeCameraCredential } = await credentialsOf(config);
      removeCameraCredential(folder, name);
      process.stdout.write(`The credential ${name} is not on this box any more.\n`);
    });
}

function commandOf(name: string): Command {
  return new Command(name).requiredOption('--config <file>', 'configuration of the box (JSON)');
}

async function credentialsOf(config: string) {
  const [{ loadConfig }, { CREDENTIALS_FOLDER, ...credentials }] = await Promise.all([
    import('../../edge/config/load-config.ts'),
    import('../../edge/box/camera-credential.ts'),
  ]);
  return { ...credentials, folder: join(loadConfig(config).keyDir, CREDENTIALS_FOLDER) };
}
