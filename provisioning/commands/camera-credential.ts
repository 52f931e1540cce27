import { join } from 'node:path';
import { Command } from 'commander';
import { readHidden } from '../terminal/read-hidden.ts';

/** `securegate camera-credential`: user and password of a camera whose address comes from the control plane. */
export function cameraCredentialCommand(): Command {
  return new Command('camera-credential')
    .description('users and passwords of cameras that the control plane knows by name alone')
    .addCommand(setCommand());
}

function setCommand(): Command {
  return new Command('set')
    .description('put user:password of a camera into the key folder of this box, under a name; asks for it, or reads it from stdin')
    .argument('<name>', 'the `credential` of the camera')
    .requiredOption('--config <file>', 'configuration of the box (JSON)')
    .option('--json', 'print an error as JSON')
    .addHelpText('after', '\nTo be called as the user of the daemon. A running box takes it within five minutes.')
    .action(async (name: string, { config }: { config: string }) => {
      const [{ loadConfig }, { CREDENTIALS_FOLDER, keepCameraCredential }] = await Promise.all([
        import('../../edge/config/load-config.ts'),
        import('../../edge/box/camera-credential.ts'),
      ]);
      const folder = join(loadConfig(config).keyDir, CREDENTIALS_FOLDER);
      keepCameraCredential(folder, name, await readHidden(process.stdin, process.stderr, 'user:password of the camera: '));
      process.stdout.write(`The credential ${name} is on this box.\n`);
    });
}
