import { loadConfig } from '../../edge/config/load-config.ts';
import { startCameras } from '../../provisioning/demo/camera/start-cameras.ts';
import { DaemonProcess } from '../../provisioning/demo/daemon/daemon-process.ts';
import { enrolGuests } from '../../provisioning/demo/enrolment/enrol-guests.ts';
import { CAMERAS, FRAME, TENANTS } from '../../provisioning/demo/footage/script.ts';
import { prepare } from '../../provisioning/demo/prepare.ts';
import { makeRunFolder, type RunFolder, readAdminToken, removeRunFolder, writeConfig } from '../../provisioning/demo/run-folder.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import type { EdgeEvent, Stats } from '../../shared/messages/events.ts';
import { withBareRoute } from './bare-route.ts';
import { type Figures, measure } from './measure.ts';

/**
 * How fast the API answers while the box does its work on four cameras, beside a bare route of Fastify. It ends with 1 where
 * the API took a frame from a camera. The box keeps its rate limits, as at a venue: each endpoint has a key of its own and
 * stays under what one minute allows it (1200 requests a key, 120 pictures a key, 3000 requests an address).
 */
const LISTS = { connections: 10, requests: 1000 } as const;
const WARM_UP = { connections: 10, requests: 100 } as const;
/** Each connection asks once a second, all at about the same time. */
const SEARCHES = { connections: 5, requests: 100, rate: 5 } as const;
/** Sightings that the list has at least. */
const SIGHTINGS = 5;
/** Longest wait for the cameras and their first sightings. */
const PATIENCE_MS = 90_000;
const [TENANT] = TENANTS;

interface Result {
  readonly endpoints: Readonly<Record<string, Figures>>;
  /** Of all cameras, while the API was asked. */
  readonly frames: number;
  readonly skipped: number;
}

const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`);

/** What the daemon told so far, and waiting for what it will tell. */
class Watched {
  #stats: Stats | undefined;
  #sightings = 0;
  readonly #waiting = new Set<() => void>();
  readonly ready = Promise.withResolvers<string>();

  take(event: EdgeEvent): void {
    if (event.type === 'ready') this.ready.resolve(event.api);
    if (event.type === 'sighting' && event.phase === 'ended' && event.tenant === TENANT) this.#sightings += 1;
    if (event.type === 'stats') this.#stats = event;
    for (const look of this.#waiting) look();
  }

  async underWay(): Promise<void> {
    await this.#until(() => {
      const live = this.#stats?.cameras.filter(({ state }) => state === 'live') ?? [];
      return live.length === CAMERAS.length && this.#sightings >= SIGHTINGS;
    });
  }

  /** The next report, so that nothing that happened before is missing in it. */
  async totals(): Promise<{ frames: number; skipped: number }> {
    const before = this.#stats;
    await this.#until(() => this.#stats !== before);
    const cameras = this.#stats?.cameras ?? [];
    const sum = (field: 'frames' | 'skipped'): number => cameras.reduce((total, camera) => total + camera[field], 0);
    return { frames: sum('frames'), skipped: sum('skipped') };
  }

  async #until(fits: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (fits()) resolve();
    };
    this.#waiting.add(look);
    look();
    await promise;
    this.#waiting.delete(look);
  }
}

/** @returns headers with a new key of the tenant */
async function authorised(api: string, admin: string, scope: string): Promise<Record<string, string>> {
  const answer = await fetch(`${api}/v1/tenants/${TENANT}/api-keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
    body: JSON.stringify({ title: 'bench', scopes: [scope] }),
  });
  if (answer.status !== 201) throw new Error(`The box made no key (${answer.status})`);
  const { key } = (await answer.json()) as { readonly key: string };
  return { authorization: `Bearer ${key}` };
}

async function ask(watched: Watched, run: RunFolder, picture: Buffer): Promise<Result> {
  const api = await watched.ready.promise;
  say('waiting for four cameras and their first sightings');
  await watched.underWay();
  const admin = await readAdminToken(run);
  const address = (path: string): string => `${api}/v1/tenants/${TENANT}/${path}`;
  const customers = { url: address('customers'), headers: await authorised(api, admin, 'people:read') };
  const sightings = { url: address('sightings'), headers: await authorised(api, admin, 'sightings:read') };
  const search = { url: address('search'), headers: await authorised(api, admin, 'search'), picture };
  const before = await watched.totals();
  say('asking');
  const body = await (await fetch(customers.url, { headers: customers.headers })).text();
  const bare = await withBareRoute(body, async (url) => {
    await measure({ url, ...WARM_UP });
    return await measure({ url, ...LISTS });
  });
  for (const list of [customers, sightings]) await measure({ ...list, ...WARM_UP });
  const endpoints = {
    'bare Fastify route': bare,
    'list of customers': await measure({ ...customers, ...LISTS }),
    'list of sightings': await measure({ ...sightings, ...LISTS }),
    'search by picture': await measure({ ...search, ...SEARCHES }),
  };
  const after = await watched.totals();
  return { endpoints, frames: after.frames - before.frames, skipped: after.skipped - before.skipped };
}

async function bench(): Promise<Result> {
  const prepared = await prepare(say);
  const run = await makeRunFolder(process.env);
  try {
    await writeConfig(run, {});
    say('enrolling the guests of two venues');
    const logger = createLogger('bench', { level: 'warn' });
    const guests = await enrolGuests({ config: loadConfig(run.config), logger, photo: prepared.photo, now: Date.now() });
    const picture = guests.find(({ tenant }) => tenant === TENANT)?.pictures[0];
    if (picture === undefined) throw new Error('Nobody was enrolled');
    const cameras = await startCameras({ videos: Object.fromEntries(prepared.footage), fps: FRAME.fps, end: 'loop' });
    try {
      await writeConfig(run, cameras.urls);
      const watched = new Watched();
      const daemon = new DaemonProcess({ configFile: run.config, logFile: run.log, onEvent: (event) => watched.take(event) });
      const ended = daemon.start();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => daemon.kill('SIGTERM'));
      const late = setTimeout(() => daemon.kill('SIGTERM'), PATIENCE_MS + (2000 * SEARCHES.requests) / SEARCHES.rate);
      try {
        const early = ended.then((end): never => {
          throw new Error(`The daemon ended, or was ended, before the bench was over (${end})`);
        });
        return await Promise.race([ask(watched, run, picture), early]);
      } finally {
        clearTimeout(late);
        daemon.kill('SIGKILL');
        await ended;
      }
    } finally {
      await cameras.stop();
    }
  } finally {
    await removeRunFolder(run);
  }
}

const result = await bench();
for (const [name, { requests, perSecond, p50, p99 }] of Object.entries(result.endpoints)) {
  const figures = [`${perSecond.toFixed(1)} req/s`, `p50 ${p50} ms`, `p99 ${p99} ms`, `${requests} requests`];
  process.stdout.write(`${name.padEnd(20)}${figures.map((figure) => figure.padStart(16)).join('')}\n`);
}
process.stdout.write(
  `searches were sent at ${SEARCHES.rate} a second; meanwhile ${result.frames} frames were looked at and ${result.skipped} skipped\n`,
);
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(result)}\n`);
process.exitCode = result.skipped === 0 ? 0 : 1;
