import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../../edge/config/load-config.ts';
import type { ConfigInput } from '../../../edge/config/schema.ts';
import { startCameras } from '../../../provisioning/demo/camera/start-cameras.ts';
import { DaemonProcess } from '../../../provisioning/demo/daemon/daemon-process.ts';
import { enrolGuests } from '../../../provisioning/demo/enrolment/enrol-guests.ts';
import { CAMERAS, FRAME, TENANTS } from '../../../provisioning/demo/footage/script.ts';
import type { Prepared } from '../../../provisioning/demo/prepare.ts';
import { createLogger } from '../../../shared/log/create-logger.ts';
import type { EdgeEvent, Stats } from '../../../shared/messages/events.ts';
import { histogramQuantile } from './histogram-quantile.ts';
import { readMachineMs, readTree, type TreeReading } from './process-tree.ts';

export interface Watching {
  readonly prepared: Prepared;
  /** Number of cameras; the demo's films are shown on them in turn. */
  readonly cameras: number;
  /** Film of all cameras instead of the demo's. */
  readonly film?: string;
  readonly seconds: number;
}

/** What the box did in the seconds that were measured. Its own processes count, the cameras' do not. */
export interface Watched {
  readonly cameras: number;
  readonly frames: number;
  readonly skipped: number;
  /** Percent of one core. */
  readonly corePct: number;
  readonly cpuMsPerFrame: number;
  /** CPU milliseconds a camera and second. */
  readonly partsMs: {
    readonly main: number;
    readonly inference: number;
    readonly decode: number;
    readonly rest: number;
    readonly vaults: number;
  };
  /** Percent of one core that one camera and whatever else ran on this machine took. */
  readonly cameraPct: number;
  readonly elsewherePct: number;
  readonly rssMb: number;
  readonly provider: string;
  /** From arrival of a picture to the gallery's candidates; null where nobody was seen. */
  readonly candidatesMs: { readonly p50: number | null; readonly p95: number | null };
}

/** Until the compiler has made its code and every camera has shown a picture. */
const WARM_UP_MS = 4000;
const START_LIMIT_MS = 60_000;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Runs the daemon as the launcher does, on cameras of another process, and measures it. @throws {Error} where a camera does not come */
export async function watchBox({ prepared, cameras: count, film, seconds }: Watching): Promise<Watched> {
  const folder = await mkdtemp(join(tmpdir(), 'securegate-bench-'));
  try {
    await mkdir(join(folder, 'keys'), { mode: 0o700 });
    const configFile = await writeConfig(folder, []);
    const logger = createLogger('bench', { level: 'warn' });
    await enrolGuests({ config: loadConfig(configFile), logger, photo: prepared.photo, now: Date.now() });
    const scenes = Array.from({ length: count }, (_, index) => ({ id: `camera-${index + 1}`, scene: CAMERAS[index % CAMERAS.length] }));
    const videos = Object.fromEntries(scenes.map(({ id, scene }) => [id, film ?? prepared.footage.get(scene?.id ?? '') ?? '']));
    const cameras = await startCameras({ videos, fps: FRAME.fps, end: 'loop' });
    try {
      const listed = scenes.map(({ id, scene }) => ({ id, tenant: scene?.tenant ?? TENANTS[0], url: cameras.urls[id] ?? '' }));
      const reports = new Reports();
      const daemon = new DaemonProcess({
        configFile: await writeConfig(folder, listed),
        logFile: join(folder, 'daemon.log'),
        onEvent: (event) => reports.take(event),
      });
      const ended = daemon.start();
      // Whoever ends the bench ends the daemon with it; what is left is cleared away then.
      const stop = (): void => daemon.kill('SIGTERM');
      for (const signal of SIGNALS) process.once(signal, stop);
      try {
        const early = ended.then((end): never => {
          throw new Error(`The daemon ended before it was measured (${end})`);
        });
        return await Promise.race([measure({ daemon, reports, count, seconds, tokenFile: join(folder, 'keys', 'admin.token') }), early]);
      } finally {
        for (const signal of SIGNALS) process.removeListener(signal, stop);
        daemon.kill('SIGKILL');
        await ended;
      }
    } finally {
      await cameras.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeConfig(folder: string, cameras: NonNullable<ConfigInput['cameras']>): Promise<string> {
  const config: ConfigInput = {
    dataDir: 'data',
    keyDir: 'keys',
    api: { port: 0 },
    tenants: TENANTS.map((id) => ({ id, org: 'bench' })),
    cameras,
  };
  const file = join(folder, 'box.json');
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

/** What the daemon tells, as it tells it. */
class Reports {
  readonly ready = Promise.withResolvers<string>();
  #waiting: ((stats: Stats) => void)[] = [];

  take(event: EdgeEvent): void {
    if (event.type === 'ready') this.ready.resolve(event.api);
    if (event.type === 'stats') for (const take of this.#waiting.splice(0)) take(event);
  }

  /** The first report from now on that fits. */
  async next(fits: (stats: Stats) => boolean): Promise<Stats> {
    const limit = AbortSignal.timeout(START_LIMIT_MS);
    for (;;) {
      const stats = await new Promise<Stats>((resolve) => this.#waiting.push(resolve));
      if (fits(stats)) return stats;
      if (limit.aborted) throw new Error('Not every camera is live');
    }
  }
}

interface Moment {
  readonly at: number;
  readonly stats: Stats;
  readonly box: TreeReading;
  /** With the cameras and the box. */
  readonly all: TreeReading;
  readonly machineMs: number;
  /** Text of `/metrics`. */
  readonly metrics: string;
}

interface Measuring {
  readonly daemon: DaemonProcess;
  readonly reports: Reports;
  readonly count: number;
  readonly seconds: number;
  readonly tokenFile: string;
}

async function measure({ daemon, reports, count, seconds, tokenFile }: Measuring): Promise<Watched> {
  const api = await reports.ready.promise;
  const headers = { authorization: `Bearer ${(await readFile(tokenFile, 'utf8')).trim()}` };
  const look = async (fits: (stats: Stats) => boolean): Promise<Moment> => {
    const stats = await reports.next(fits);
    const readings = { at: performance.now(), box: readTree(daemon.pid), all: readTree(process.pid), machineMs: readMachineMs() };
    return { stats, ...readings, metrics: await (await fetch(`${api}/metrics`, { headers })).text() };
  };
  const { at: liveAt } = await look(({ cameras }) => cameras.filter(({ state }) => state === 'live').length === count);
  const before = await look(() => performance.now() - liveAt > WARM_UP_MS);
  return compare(before, await look(() => performance.now() - before.at > seconds * 1000));
}

function compare(before: Moment, after: Moment): Watched {
  const ms = after.at - before.at;
  const total = (field: 'frames' | 'skipped'): number => {
    const of = ({ stats }: Moment): number => stats.cameras.reduce((sum, camera) => sum + camera[field], 0);
    return of(after) - of(before);
  };
  const cameras = after.stats.cameras.length;
  const boxMs = after.box.cpuMs - before.box.cpuMs;
  const allMs = after.all.cpuMs - before.all.cpuMs;
  const frames = total('frames');
  const perCamera = (cpuMs: number): number => (cpuMs * 1000) / ms / cameras;
  const thread = (name: string): number => (after.box.threadsMs.get(name) ?? 0) - (before.box.threadsMs.get(name) ?? 0);
  const vaults = after.box.childrenMs - before.box.childrenMs;
  const candidates = (quantile: number): number | null =>
    histogramQuantile(before.metrics, after.metrics, 'securegate_candidates_latency_seconds', quantile);
  const [main, inference, decode] = [thread('MainThread'), thread('WorkerThread'), thread('libuv-worker')];
  return {
    cameras,
    frames,
    skipped: total('skipped'),
    corePct: (100 * boxMs) / ms,
    cpuMsPerFrame: boxMs / frames,
    partsMs: {
      main: perCamera(main),
      inference: perCamera(inference),
      decode: perCamera(decode),
      rest: perCamera(boxMs - main - inference - decode - vaults),
      vaults: perCamera(vaults),
    },
    cameraPct: perCamera(allMs - boxMs) / 10,
    elsewherePct: Math.max(0, (100 * (after.machineMs - before.machineMs - allMs)) / ms),
    rssMb: after.box.rssMb,
    provider: after.stats.provider.name,
    candidatesMs: { p50: candidates(0.5), p95: candidates(0.95) },
  };
}
