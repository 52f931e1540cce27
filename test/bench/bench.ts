import { availableParallelism } from 'node:os';
import { CAMERAS } from '../../provisioning/demo/footage/script.ts';
import { prepare } from '../../provisioning/demo/prepare.ts';
import { emptyRoom } from './box/empty-room.ts';
import { type Watched, watchBox } from './box/watch-box.ts';
import { costOf, machineOf, predictStreams } from './capacity/predict-streams.ts';
import { sustain } from './capacity/sustain.ts';
import { measureFaceApi } from './peers/measure-face-api.ts';
import { ffmpegVersion, measurePipe, type PipeFigures } from './peers/measure-pipe.ts';
import { describeMachine } from './report/describe-machine.ts';
import { formatTable } from './report/format-table.ts';
import { targetsOf } from './report/targets.ts';
import { measureSearch } from './stages/measure-search.ts';
import { measureStages } from './stages/measure-stages.ts';
import { samplePictures } from './stages/sample-pictures.ts';

/**
 * How fast the box is on this machine, beside two peers on the same pictures. CPU times are user and system time of the daemon
 * and its vaults; the cameras run in another process and do not count. It ends with 1 where a target was missed.
 */
const FOUR = 4;
const IDLE_SECONDS = 10;
const BUSY_SECONDS = 24;
const PIPE_SECONDS = 10;
const FACES = [1000, 10_000] as const;

const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`);
const print = (line = ''): void => void process.stdout.write(`${line}\n`);

const prepared = await prepare(say);
say('filming an empty room, unless it is there');
const film = await emptyRoom();
const films = CAMERAS.map(({ id }) => prepared.footage.get(id) ?? '');

say('four cameras, nobody in view');
const idle = await watchBox({ prepared, cameras: FOUR, film, seconds: IDLE_SECONDS });
say('four cameras, people in view');
const busy = await watchBox({ prepared, cameras: FOUR, seconds: BUSY_SECONDS });
say('the same by an ffmpeg pipe for each camera');
const version = ffmpegVersion();
const pipe =
  version === null
    ? null
    : {
        idle: await measurePipe(
          films.map(() => film),
          PIPE_SECONDS,
        ),
        busy: await measurePipe(films, PIPE_SECONDS),
      };
say('each stage by itself');
const { stages: alone, queueing, modelLoadMs } = await measureStages(await samplePictures(), film);
say(`search among ${FACES.join(' and ')} faces`);
const searches = await measureSearch(FACES);
const stages = {
  ...alone,
  ...Object.fromEntries(FACES.map((faces, index) => [`search ${faces}`, { p50Ms: searches[index] ?? 0, runMs: 0 }])),
};
say('photographs, by face-api and by SecureGate');
const faceApi = await measureFaceApi();
say('more and more cameras, until a frame is skipped');
const sustained = await sustain(prepared, predictStreams(costOf(busy), machineOf(availableParallelism())).streams, say);

const rssMbPerCamera =
  sustained.run === null || sustained.cameras === FOUR ? null : (sustained.run.rssMb - busy.rssMb) / (sustained.cameras - FOUR);
const pipeTimes =
  pipe === null ? null : { idle: pipe.idle.cpuMsPerFrame / idle.cpuMsPerFrame, busy: pipe.busy.cpuMsPerFrame / busy.cpuMsPerFrame };
const targets = targetsOf({
  idleCorePct: idle.corePct,
  busyCorePct: busy.corePct,
  candidatesP95Ms: busy.candidatesMs.p95,
  queueing,
  pipeTimes,
});

for (const line of describeMachine()) print(line);
print(`provider: ${busy.provider}; others took ${busy.elsewherePct.toFixed(0)} % of a core meanwhile`);
print();
const ms = (value: number): string => `${value.toFixed(2)} ms`;
const stageRows = Object.entries(stages).map(([name, { p50Ms, runMs }]) => [
  name,
  ms(p50Ms),
  runMs === 0 ? '' : ms(runMs),
  ms(p50Ms - runMs),
]);
for (const line of formatTable([['stage, one at a time', 'median', 'the model', 'around it'], ...stageRows])) print(line);
print();
const row = (name: string, { corePct, cpuMsPerFrame, frames }: Watched | PipeFigures): string[] => [
  name,
  `${corePct.toFixed(0)} %`,
  ms(cpuMsPerFrame),
  `${frames}`,
];
const boxRows = [
  ['four 720p25 cameras at 5 fps', 'of a core', 'CPU a picture', 'pictures'],
  row('SecureGate, nobody in view', idle),
  row('SecureGate, people in view', busy),
  ...(pipe === null ? [] : [row('ffmpeg pipe, nobody in view', pipe.idle), row('ffmpeg pipe, people in view', pipe.busy)]),
];
for (const line of formatTable(boxRows)) print(line);
print(
  pipe === null
    ? 'ffmpeg is not installed: no pipe to compare with'
    : `the pipe: ${version}, RGB to the same detector on every picture, nothing else`,
);
print();
const photoRow = (name: string, { p50Ms, cpuMs, faces }: typeof faceApi.own): string[] => [name, ms(p50Ms), ms(cpuMs), `${faces}`];
const photoRows = [
  ['six photographs at 1280x720', 'median', 'CPU a picture', 'faces'],
  photoRow('SecureGate, 512 numbers a face', faceApi.own),
  photoRow('face-api on WebAssembly, 128 numbers a face', faceApi.peer),
];
for (const line of formatTable(photoRows)) print(line);
print();
print(
  `models are loaded in ${modelLoadMs.toFixed(0)} ms; ${idle.rssMb.toFixed(0)} MB with four cameras${rssMbPerCamera === null ? '' : `, ${rssMbPerCamera.toFixed(0)} MB for each further one`}`,
);
print(`${sustained.cameras} cameras with people in view kept at 5 fps without a skipped frame`);
print();
const heldWord = (held: boolean | null): string => (held === null ? '-' : held ? 'held' : 'MISSED');
for (const line of formatTable([
  ['target', 'figure', 'wanted', ''],
  ...targets.map(({ name, figure, wanted, held }) => [name, figure, wanted, heldWord(held)]),
]))
  print(line);
if (process.argv.includes('--json')) {
  const cameras = { count: FOUR, idleCorePct: idle.corePct, busyCorePct: busy.corePct, rssMbPerCamera, sustained: sustained.cameras };
  print(
    JSON.stringify({
      stages,
      queueing,
      modelLoadMs,
      cameras,
      latencyMs: busy.candidatesMs,
      peers: { pipe: pipe && { ...pipe, own: { idle: idle.cpuMsPerFrame, busy: busy.cpuMsPerFrame }, times: pipeTimes }, faceApi },
      targets,
    }),
  );
}
process.exitCode = targets.some(({ held }) => held === false) ? 1 : 0;
