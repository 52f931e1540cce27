import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { Command } from 'commander';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import { adviseThreshold } from '../eval/advise-threshold.ts';
import { drawRoc } from '../eval/draw-roc.ts';
import { drawScores } from '../eval/draw-scores.ts';
import { type EvaluationResult, evaluate } from '../eval/evaluate.ts';
import { formatReport } from '../eval/format-report.ts';
import { listPictures } from '../eval/list-pictures.ts';
import { ProgressBar } from '../terminal/progress-bar.ts';

/** Pictures in memory at a time: enough to keep all inference threads at work. */
const MOST_AT_ONCE = 16;

interface Options {
  readonly config?: string;
  readonly out?: string;
  readonly json?: true;
}

/** `securegate eval`: how well the box tells the faces of a folder apart. */
export function evalCommand(): Command {
  return new Command('eval')
    .description('measure on your own pictures how well faces are found and told apart')
    .argument('<folder>', 'holds one folder a person with pictures of that person alone (JPEG, PNG, WebP)')
    .option('--config <file>', "measure this box's models (default: those of the product)")
    .option(
      '--out <folder>',
      'draw the curve of error rates (roc.svg) and the spread of the scores (scores.svg) into this folder, and name the pictures to look at (look-at.json)',
    )
    .option('--json', 'print the figures as one JSON line')
    .addHelpText(
      'after',
      `
Every picture goes through the stages that a picture to be searched goes through, and is compared with every other one. Its
quality must be good enough for a search; a picture with several faces of about one size is refused as an enrolment refuses it.
Nothing of a face is written to a disk.

  eer         equal error rate
  tar         share of the pairs of one person that are accepted while at most 1 in 100 (1e-2) or 1 in 1000 (1e-3) pairs of
              different people is
  threshold   smallest similarity that keeps that rate

Example:
  securegate eval portraits --out accuracy     # portraits/anna/1.jpg, portraits/anna/2.jpg, portraits/ben/1.jpg ...`,
    )
    .action(runEval);
}

async function runEval(folder: string, { config, out, json }: Options, command: Command): Promise<void> {
  if (out !== undefined && !relative(resolve(folder), resolve(out)).startsWith('..')) {
    command.error('error: --out must lie outside of the folder of the pictures', { exitCode: 2 });
  }
  const listed = await listPictures(folder);
  const [{ loadConfig }, { openEvaluation }] = await Promise.all([
    import('../../edge/config/load-config.ts'),
    import('../../edge/evaluation.ts'),
  ]);
  const stop = new AbortController();
  const onInterrupt = (): void => stop.abort(new SecureGateError('stopped', 'Stopped before everything was compared'));
  process.once('SIGINT', onInterrupt);
  const bar = new ProgressBar(process.stderr, (done, total) => `${done} of ${total}`);
  const evaluation = await openEvaluation(config === undefined ? undefined : loadConfig(config), {
    logger: createLogger('eval', { level: 'warn' }),
  });
  try {
    const result = await evaluate(listed, {
      describe: (image) => evaluation.describe(image),
      atOnce: Math.min(2 * availableParallelism(), MOST_AT_ONCE),
      // Comparing takes seconds: nothing that a log has to hold.
      onProgress: (what, done, total) => (what === 'pictures' || process.stderr.isTTY) && bar.update(what, done, total),
      signal: stop.signal,
    });
    bar.end();
    if (out !== undefined) await writeResults(result, out);
    const { detector, embedder } = evaluation.models;
    process.stdout.write(
      json
        ? `${JSON.stringify(figuresOf(result))}\n`
        : `models ${detector}, ${embedder}\n${formatReport(result)}\n${adviseThreshold(result, evaluation.matchThreshold).join('\n')}\n` +
            (out === undefined ? '' : `\nWritten into ${out}: roc.svg, scores.svg, look-at.json\n`),
    );
  } finally {
    bar.end();
    process.off('SIGINT', onInterrupt);
    await evaluation.close();
  }
}

async function writeResults({ pairs, refusals }: EvaluationResult, out: string): Promise<void> {
  try {
    await mkdir(out, { recursive: true });
    await writeFile(join(out, 'roc.svg'), drawRoc(pairs));
    await writeFile(join(out, 'scores.svg'), drawScores(pairs));
    const refused = refusals.map(({ picture, error }) => ({ picture: picture.name, code: error.code }));
    await writeFile(join(out, 'look-at.json'), `${JSON.stringify({ ...pairs.suspicious, refused }, null, 2)}\n`);
  } catch (cause) {
    throw new SecureGateError('storage_failed', `cannot write into ${out}`, { cause, details: { out } });
  }
}

/** The form that programs read; it is fixed. */
function figuresOf({ images, detected, pairs, eer, points }: EvaluationResult): object {
  const each = (field: 'tar' | 'threshold') => ({ '1e-2': rounded(points['1e-2'][field]), '1e-3': rounded(points['1e-3'][field]) });
  return {
    images,
    detected,
    genuine: pairs.genuine.total,
    impostor: pairs.impostor.total,
    eer: rounded(eer),
    tar: each('tar'),
    threshold: each('threshold'),
  };
}

function rounded(rate: number): number {
  return Math.round(rate * 1e6) / 1e6;
}
