import { availableParallelism } from 'node:os';
import { prepare } from '../../provisioning/demo/prepare.ts';
import { watchBox } from './box/watch-box.ts';
import { costOf, machineOf, predictStreams } from './capacity/predict-streams.ts';
import { sustain } from './capacity/sustain.ts';
import { describeMachine } from './report/describe-machine.ts';

/**
 * How many streams at 5 fps a box keeps up with, from what four cameras cost it, and whether that is true of this machine.
 * `--cores N` also tells it for a larger machine of the same kind. It ends with 1 where prediction and truth are too far apart,
 * or where others took so much of the machine that there was no telling.
 */
const MOST_OFF = 0.15;
/** What the design asks of a box with a GPU. */
const GPU_STREAMS = 150;
/** Percent of a core that others may take before a comparison says nothing. */
const QUIET_PCT = 10;

const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const prepared = await prepare(say);
say('measuring what a stream costs, on four cameras with people in view');
const four = await watchBox({ prepared, cameras: 4, seconds: 32 });
const cost = costOf(four);
const predicted = predictStreams(cost, machineOf(availableParallelism()));
say(`stepping up from ${Math.floor(predicted.streams)} cameras`);
const { cameras, run } = await sustain(prepared, predicted.streams, say);
const elsewherePct = run?.elsewherePct ?? four.elsewherePct;
const off = elsewherePct > QUIET_PCT ? null : Math.abs(predicted.streams - cameras) / Math.max(1, cameras);
const verdict =
  off === null
    ? `NOT COMPARED: others took ${elsewherePct.toFixed(0)} % of a core meanwhile`
    : `${(off * 100).toFixed(0)} % apart, at most ${MOST_OFF * 100} %: ${off <= MOST_OFF ? 'held' : 'NOT HELD'}`;

for (const line of describeMachine()) print(line);
print(
  `provider ${four.provider}; CPU a stream and second: ${Object.entries(cost)
    .map(([part, ms]) => `${part} ${ms.toFixed(1)} ms`)
    .join(', ')}`,
);
print(`this machine by itself: ${predicted.streams.toFixed(1)} streams at 5 fps; what limits it: ${predicted.limit}`);
print(`sustained without a skipped frame: ${cameras} (${verdict})`);
const wanted = coresFrom(process.argv);
const larger = wanted === null ? null : predictStreams(cost, machineOf(wanted));
if (larger !== null)
  print(`${wanted} cores of this kind: ${larger.streams.toFixed(0)} streams; what limits them: ${larger.limit} (not measured)`);
print(
  four.provider === 'cpu'
    ? `${GPU_STREAMS} streams on a GPU: not measured, there is no GPU here; its inference has another cost, and nothing of the above tells it.`
    : `${GPU_STREAMS} streams: ${predicted.streams >= GPU_STREAMS ? 'held' : 'NOT HELD'} by the prediction`,
);
if (process.argv.includes('--json')) {
  print(JSON.stringify({ provider: four.provider, costMs: cost, predicted, sustained: cameras, elsewherePct, off, gpu: null }));
}
process.exitCode = off !== null && off <= MOST_OFF ? 0 : 1;

/** @throws {Error} where `--cores` is given without a number */
function coresFrom(args: readonly string[]): number | null {
  const at = args.indexOf('--cores');
  if (at < 0) return null;
  const cores = Number(args[at + 1]);
  if (!Number.isInteger(cores) || cores < 1) throw new Error('--cores takes a number of cores');
  return cores;
}
