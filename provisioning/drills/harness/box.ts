import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stats } from '../../../shared/messages/events.ts';
import { BoxApi } from '../../demo/daemon/box-api.ts';
import { NotHeld, requireThat, TooSlow } from './not-held.ts';
import { WatchedDaemon } from './watched-daemon.ts';
import { within } from './within.ts';

/** Longest pause between a camera's return and its pictures. */
const RETURN_MS = 3000;
/** Shortest time over which frames are counted. */
const COUNT_MS = 5000;
const LEAST_KEPT = 0.98;

export interface BoxOptions {
  /** Holds `box.json`, and all that the daemon writes unless the configuration says otherwise. */
  readonly folder: string;
  /** Cameras that nothing happens to. */
  readonly living: readonly string[];
  /** Modules that sabotage the daemon from within. */
  readonly imports?: readonly URL[];
}

/** One box of a drill: the daemon, its API and the folder of both. It can be started more than once. */
export class Box {
  readonly #options: BoxOptions;
  #daemon: WatchedDaemon | undefined;
  #api: BoxApi | undefined;
  #removed = false;

  constructor(options: BoxOptions) {
    this.#options = options;
  }

  get daemon(): WatchedDaemon {
    if (this.#daemon === undefined) throw new Error('The box was not started');
    return this.#daemon;
  }

  get api(): BoxApi {
    if (this.#api === undefined) throw new Error('The box is not ready');
    return this.#api;
  }

  path(...names: string[]): string {
    return join(this.#options.folder, ...names);
  }

  /** Starts the daemon without waiting for anything. */
  launch(): WatchedDaemon {
    if (this.#removed) throw new NotHeld('the drill was ended');
    const { imports = [] } = this.#options;
    this.#daemon = new WatchedDaemon({ configFile: this.path('box.json'), logFile: this.path('daemon.log'), imports });
    this.#daemon.start();
    return this.#daemon;
  }

  /** Starts the daemon and waits until its API answers and these cameras are live. */
  async start(cameras = this.#options.living): Promise<void> {
    const daemon = this.launch();
    const { api } = await daemon.until('ready');
    this.#api = new BoxApi(api, (await readFile(this.path('keys', 'admin.token'), 'utf8')).trim());
    for (const id of cameras) await daemon.until('camera', ({ camera, state }) => camera === id && state === 'live');
  }

  /** Stops it as a service manager does. */
  async stop(): Promise<void> {
    this.daemon.kill('SIGTERM');
    const end = await this.daemon.end;
    requireThat(end === 0, `the daemon ended with ${end}`);
  }

  /** Ends what is left of it, for good. */
  async remove(): Promise<void> {
    this.#removed = true;
    await this.#daemon?.cutPower();
  }

  /**
   * Lets `work` happen and counts the frames of the living cameras meanwhile.
   * @returns the share that was looked at of what they sent, for people
   * @throws {TooSlow} below 98 % of the frames
   */
  async keepsFrames(work: () => Promise<void>, cameras = this.#options.living): Promise<string> {
    const before = await this.daemon.nextStats();
    await work();
    const after = await this.daemon.until('stats', ({ uptimeMs }) => uptimeMs >= before.uptimeMs + COUNT_MS, this.daemon.events.length);
    const share = shareOf(cameras, before, after);
    const told = `${(share * 100).toFixed(1)} % of the living cameras' frames`;
    if (share < LEAST_KEPT) throw new TooSlow(`only ${told}`);
    return told;
  }

  /** @returns how long it took until a camera that came back was live, for people */
  async returns(camera: string, comeBack: () => Promise<void> | void): Promise<string> {
    const from = this.daemon.events.length;
    await comeBack();
    const { ms } = await within(RETURN_MS, `${camera} is live again`, () =>
      this.daemon.events.slice(from).some((event) => event.type === 'camera' && event.camera === camera && event.state === 'live')
        ? true
        : undefined,
    );
    return `live again after ${(ms / 1000).toFixed(1)} s`;
  }

  /** Waits until /readyz tells this trouble (`part: reason`). @returns how long it took, milliseconds */
  async tells(trouble: string, limitMs: number): Promise<number> {
    const told = async (): Promise<true | undefined> => ((await this.api.unready()).includes(trouble) ? true : undefined);
    return (await within(limitMs, `/readyz says ${trouble}`, told)).ms;
  }

  /** Waits until every part is ready. @returns how long it took, milliseconds */
  async isReadyAgain(limitMs: number): Promise<number> {
    const ready = async (): Promise<true | undefined> => ((await this.api.unready()).length === 0 ? true : undefined);
    return (await within(limitMs, 'every part is ready again', ready)).ms;
  }

  /** @throws {NotHeld} where a camera did not stay live since `from` (place in the daemon's events) */
  requireAllLive(from: number): void {
    const fallen = this.daemon.events.slice(from).flatMap((event) => (event.type === 'camera' ? `${event.camera} ${event.state}` : []));
    requireThat(fallen.length === 0, `cameras did not stay live: ${fallen.join(', ')}`);
  }

  /** Waits until a camera has failed since `from` (place in the daemon's events). @returns the reason that was told */
  async failsOf(camera: string, from: number): Promise<string> {
    const { reason } = await this.daemon.until('camera', (event) => event.camera === camera && event.state === 'failed', from);
    return String(reason);
  }
}

function shareOf(ids: readonly string[], before: Stats, after: Stats): number {
  let looked = 0;
  let sent = 0;
  for (const id of ids) {
    const [earlier, later] = [before, after].map(({ cameras }) => cameras.find(({ camera }) => camera === id));
    if (earlier === undefined || later === undefined) throw new Error(`No camera ${id}`);
    // One frame of each camera may fall on the other side of the window's edge.
    looked += later.frames - earlier.frames + 1;
    sent += (later.fpsWanted * (after.uptimeMs - before.uptimeMs)) / 1000;
  }
  return Math.min(1, looked / sent);
}
