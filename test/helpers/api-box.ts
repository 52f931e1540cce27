import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type {
  BoxPort,
  CameraChange,
  CameraSettings,
  CamerasPort,
  CameraView,
  DescribedPicture,
  FacesPort,
  LeaseStatus,
  LeasesPort,
  LiveFrame,
  TenantsPort,
  TenantView,
  WebhooksPort,
  WebhookView,
} from '../../edge/api/ports.ts';
import { vaultStats } from '../../edge/box/vault-stats.ts';
import { parseConfig } from '../../edge/config/load-config.ts';
import { type OpenStages, openStages } from '../../edge/open-stages.ts';
import { describeStill } from '../../edge/pipeline/describe-still.ts';
import type { StillPurpose } from '../../edge/pipeline/stage-tasks.ts';
import { StageTimes } from '../../edge/pipeline/stage-times.ts';
import { VaultClient } from '../../edge/vault/client.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Removed } from '../../shared/fleet/ack.ts';
import type { Venue } from '../../shared/http/tenant-context.ts';
import { newId } from '../../shared/ids/ids.ts';
import type { EdgeEvent, Sighting, Stats } from '../../shared/messages/events.ts';
import { testLogger } from './secrecy/test-logger.ts';

const SILENT = testLogger();
/** An address at which the test's one camera answers. */
export const ANSWERING_CAMERA = 'rtsp://camera.example/door';

/**
 * A box around real vaults and real inference, with tenants `north` and `south`. Cameras, webhooks, leases and what happens are
 * the test's own: it shows pictures by `show` and events by `emit`.
 */
export class ApiBox implements BoxPort {
  readonly version = '0.0.0-test';
  readonly box: string;
  readonly tenants: TenantsPort;
  readonly leases: LeasesPort;
  readonly cameras: CamerasPort;
  readonly faces: FacesPort;
  readonly webhooks: WebhooksPort;
  readonly #vaults = new Map<string, { view: TenantView; vault: VaultClient }>();
  readonly #cameras = new Map<string, CameraView & { tenant: string }>();
  readonly #watchers = new Map<string, Set<(frame: LiveFrame) => void>>();
  readonly #webhooks = new Map<string, WebhookView & { tenant: string }>();
  readonly #listeners = new Map<string, Set<(event: EdgeEvent) => void>>();
  readonly #shots = new Map<string, { tenant: string; picture: Buffer }>();
  readonly #folder: string;
  #engine: OpenStages | undefined;
  /** What `stageTimes` tells. */
  readonly times = new StageTimes();
  /** What `inView` tells, of all tenants. */
  readonly seenNow: Sighting[] = [];
  /** Host names of tenants. */
  readonly hostnames = new Map<string, Venue>();
  /** Parts that `/readyz` calls broken. */
  readonly broken = new Map<string, string>();

  constructor(folder: string, box: string) {
    this.#folder = folder;
    this.box = box;
    this.tenants = {
      list: () => Array.from(this.#vaults.values(), ({ view, vault }) => ({ ...view, state: vault.state })),
      byHostname: (hostname) => this.hostnames.get(hostname),
      get: (tenant) => this.#tenant(tenant).view,
      add: async ({ id, org, matchThreshold = null, unmatchedTtlMs = 10_000, sightingsDays = 30, keys = 'file' }) => {
        if (this.#vaults.has(id)) throw new SecureGateError('conflict', 'There is such a tenant', { details: { tenant: id } });
        return this.#open({ id, org, matchThreshold, unmatchedTtlMs, sightingsDays, keys, state: 'ready', reason: null, fixed: false });
      },
      change: async (tenant, settings) => {
        const entry = this.#tenant(tenant);
        if (entry.view.fixed) throw new SecureGateError('fixed_by_configuration', 'It is declared in the configuration');
        const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
        entry.view = { ...entry.view, ...given };
        return entry.view;
      },
      open: async (tenant) => {
        const { view, vault } = this.#tenant(tenant);
        if (vault.state === 'failed') await vault.start();
        return { ...view, state: vault.state };
      },
      vault: (tenant) => this.#tenant(tenant).vault,
    };
    const lease = async (tenant: string): Promise<LeaseStatus> => {
      this.#tenant(tenant);
      const [renewedAt, endsAt] = ['2026-11-22T04:00:00.000Z', '2026-11-23T04:00:00.000Z'];
      return {
        tenant,
        state: 'ready',
        reason: null,
        enforcement: 'memory',
        epoch: 1,
        newest: 1,
        renewedAt,
        endsAt,
        comes: 'kms',
        failure: null,
      };
    };
    this.leases = {
      list: async () => [await lease('north')],
      get: lease,
      request: async (tenant) => ({ requests: [`${(await lease(tenant)).tenant}.x.y`], moved: null }),
      accept: lease,
      handOver: async (tenant) => `${(await lease(tenant)).tenant}.x.y`,
    };
    this.faces = {
      model: 'arcface',
      describe: (image, purpose) => this.#describe(image, purpose),
      ofSighting: (tenant, sightingId) => this.#describe(this.#shot(tenant, sightingId), 'enrol'),
      threshold: (tenant) => this.#tenant(tenant).view.matchThreshold ?? this.#opened.matchThreshold,
    };
    this.cameras = this.#camerasPort();
    this.webhooks = this.#webhooksPort();
  }

  /** Says that nothing was there: the tenants of a test stay. */
  async wipe(tenant: string): Promise<Removed> {
    this.#tenant(tenant);
    return { keyFiles: 0, dataFiles: 0, bytes: 0, customers: 0, tpmCounter: false };
  }

  async start(): Promise<void> {
    await mkdir(join(this.#folder, 'keys'), { mode: 0o700 });
    const config = parseConfig({ dataDir: '-', keyDir: '-', tenants: [{ id: 'north', org: 'acme' }], inference: { workers: 1 } });
    this.#engine = await openStages(config, SILENT);
    for (const id of ['north', 'south']) {
      await this.#open({
        id,
        org: 'acme',
        matchThreshold: null,
        unmatchedTtlMs: 10_000,
        sightingsDays: 30,
        keys: 'file',
        state: 'ready',
        reason: null,
        fixed: id === 'south',
      });
    }
  }

  async stop(): Promise<void> {
    await Promise.all(Array.from(this.#vaults.values(), ({ vault }) => vault.stop()));
    await this.#engine?.stages.stop();
  }

  /** Tells whoever listens. */
  emit(tenant: string, event: EdgeEvent): void {
    for (const listener of this.#listeners.get(tenant) ?? []) listener(event);
  }

  /** Keeps the picture of a sighting in memory, as the pipeline does for a while. */
  keepShot(tenant: string, sightingId: string, picture: Buffer): void {
    this.#shots.set(sightingId, { tenant, picture });
  }

  forgetShots(): void {
    this.#shots.clear();
  }

  /** Shows a picture to whoever watches the camera. @returns how many do */
  show(id: string, frame: LiveFrame): number {
    const watchers = this.#watchers.get(id) ?? new Set();
    for (const watcher of watchers) watcher(frame);
    return watchers.size;
  }

  get listeners(): number {
    return this.#listeners.values().reduce((sum, { size }) => sum + size, 0);
  }

  stats(): Stats {
    const quantiles = { p50: 4, p95: 20, p99: 30 };
    return {
      type: 'stats',
      at: new Date().toISOString(),
      uptimeMs: 5000,
      cameras: this.#cameras
        .values()
        .map((camera) => ({
          tenant: camera.tenant,
          camera: camera.slug,
          state: camera.state,
          frames: 10,
          skipped: 1,
          tracks: 2,
          failures: 4,
          waiting: 2,
          fpsWanted: camera.fps,
          fps: 4.5,
        }))
        .toArray(),
      latencyMs: quantiles,
      eventLoopMs: quantiles,
      queues: { inference: 5, embedder: 6 },
      rejections: { blurred: 3 },
      provider: { name: 'cpu', fallbackReason: 'no GPU was found' },
      vaults: Array.from(this.#vaults, ([tenant, { vault }]) => ({
        ...vaultStats(tenant, vault, null),
        lease: { enforcement: 'memory' as const, newest: 3, leftMs: 5_000_000, failure: null },
      })),
      lastBackupAt: new Date(Date.now() - 60_000).toISOString(),
      link: { connected: true, by: 'mqtt', forMs: 90_000, problem: null, anchor: 'disk' },
      warnings: [{ tenant: 'north', reason: 'lease_ending' }],
    };
  }

  stageTimes() {
    return this.times.values();
  }

  models() {
    return [{ id: 'arcface', task: 'embed', licence: 'MIT', commercialUse: true }];
  }

  health() {
    return ['vault north', 'inference'].map((part) => ({ part, ready: !this.broken.has(part), reason: this.broken.get(part) ?? null }));
  }

  onEvent(tenant: string, listener: (event: EdgeEvent) => void): () => void {
    return listen(this.#listeners, tenant, listener);
  }

  hasSightingPicture(tenant: string, sightingId: string): boolean {
    return this.#shots.get(sightingId)?.tenant === tenant;
  }

  async sightingPicture(tenant: string, sightingId: string): Promise<Buffer | undefined> {
    return this.hasSightingPicture(tenant, sightingId) ? this.#shot(tenant, sightingId) : undefined;
  }

  holdSightingPicture(tenant: string, sightingId: string): { forMs: number; atMostMs: number } | undefined {
    return this.hasSightingPicture(tenant, sightingId) ? { forMs: 10_000, atMostMs: 180_000 } : undefined;
  }

  inView(tenant: string): readonly Sighting[] {
    return this.seenNow.filter((sighting) => sighting.tenant === tenant);
  }

  async #open(view: TenantView): Promise<TenantView> {
    const options = { org: view.org, tenant: view.id, box: this.box, logger: SILENT };
    const vault = new VaultClient({ ...options, dataDir: join(this.#folder, 'data'), keyDir: join(this.#folder, 'keys') });
    await vault.start();
    this.#vaults.set(view.id, { view, vault });
    return view;
  }

  async #describe(image: Buffer, purpose: StillPurpose): Promise<DescribedPicture> {
    const { shot, embedding } = await describeStill(this.#opened.stages, image, purpose);
    const { width, height, data } = shot.aligned;
    const picture = await sharp(data, { raw: { width, height, channels: 3 } })
      .jpeg()
      .toBuffer();
    return { embedding, quality: shot.quality, model: this.#opened.models.embedder, picture };
  }

  #shot(tenant: string, sightingId: string): Buffer {
    const shot = this.#shots.get(sightingId);
    if (shot?.tenant !== tenant) throw new SecureGateError('sighting_gone', 'The picture of this sighting is gone');
    return shot.picture;
  }

  #tenant(tenant: string): { view: TenantView; vault: VaultClient } {
    const entry = this.#vaults.get(tenant);
    if (entry === undefined) throw new SecureGateError('tenant_not_found', 'No such tenant', { details: { tenant } });
    return entry;
  }

  get #opened(): OpenStages {
    if (this.#engine === undefined) throw new SecureGateError('stopped', 'The box is not started');
    return this.#engine;
  }

  #camerasPort(): CamerasPort {
    const get = (tenant: string, id: string) => found(this.#cameras.get(id), tenant);
    const view = ({ tenant: _tenant, ...camera }: CameraView & { tenant: string }): CameraView => camera;
    const put = (tenant: string, id: string, version: number, { url, ...settings }: CameraSettings): CameraView => {
      const { slug, title = null, fps, tiles = null, roomId = null } = settings;
      const fixed = { fixed: false, state: 'live', reason: null, fpsGiven: 4.5 } as const;
      const camera = { id, slug, title, fps, tiles, roomId, address: url.replace(/\/\/.*@/, '//'), version, ...fixed };
      this.#cameras.set(id, { ...camera, tenant });
      return camera;
    };
    return {
      list: (tenant) =>
        this.#cameras
          .values()
          .filter((camera) => camera.tenant === tenant)
          .map(view)
          .toArray(),
      get: (tenant, id) => view(get(tenant, id)),
      add: async (tenant, settings, id = newId('record')) => {
        if (this.#cameras.values().some((camera) => camera.tenant === tenant && camera.slug === settings.slug)) {
          throw new SecureGateError('conflict', 'There is such a camera', { details: { slug: settings.slug } });
        }
        return put(tenant, id, 1, settings);
      },
      change: async (tenant, id, change: CameraChange, version) => {
        const { title, roomId, ...camera } = get(tenant, id);
        checkVersion(camera, version);
        const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
        const known = { ...(title === null ? {} : { title }), ...(roomId === null ? {} : { roomId }) };
        return put(tenant, id, camera.version + 1, {
          slug: camera.slug,
          fps: camera.fps,
          tiles: camera.tiles,
          url: camera.address,
          ...known,
          ...given,
        });
      },
      remove: async (tenant, id, version) => {
        checkVersion(get(tenant, id), version);
        this.#cameras.delete(id);
      },
      test: async (url) => {
        if (url !== ANSWERING_CAMERA) throw new SecureGateError('camera_unreachable', `Cannot reach ${url}`, { details: { url } });
        const jpeg = await sharp({ create: { width: 64, height: 36, channels: 3, background: '#334' } })
          .jpeg()
          .toBuffer();
        return { width: 64, height: 36, openedMs: 12, jpeg };
      },
      watch: (tenant, id, _size, listener) => {
        get(tenant, id);
        return listen(this.#watchers, id, listener);
      },
    };
  }

  #webhooksPort(): WebhooksPort {
    const get = (tenant: string, id: string) => found(this.#webhooks.get(id), tenant);
    const view = ({ tenant: _tenant, ...webhook }: WebhookView & { tenant: string }): WebhookView => webhook;
    const put = (tenant: string, webhook: WebhookView): WebhookView => {
      if (new URL(webhook.url).hostname === 'localhost') throw new SecureGateError('webhook_target_refused', 'This target is not allowed');
      this.#webhooks.set(webhook.id, { ...webhook, tenant });
      return webhook;
    };
    return {
      list: (tenant) =>
        this.#webhooks
          .values()
          .filter((webhook) => webhook.tenant === tenant)
          .map(view)
          .toArray(),
      get: (tenant, id) => view(get(tenant, id)),
      add: async (tenant, settings, id = newId('record')) => ({
        webhook: put(tenant, { id, version: 1, ...settings }),
        secret: 'whsec_shown-once',
      }),
      change: async (tenant, id, settings, version) => {
        const webhook = get(tenant, id);
        checkVersion(webhook, version);
        return put(tenant, { id, version: webhook.version + 1, ...settings });
      },
      remove: async (tenant, id, version) => {
        checkVersion(get(tenant, id), version);
        this.#webhooks.delete(id);
      },
      deadLetters: (tenant, id) => {
        get(tenant, id);
        const sightingId = newId('sighting');
        return [{ id: 'letter-1', sightingId, phase: 'ended', givenUpAt: new Date().toISOString(), attempts: 8, reason: '503' }];
      },
      redeliver: async (tenant, id) => {
        get(tenant, id);
        return 1;
      },
    };
  }
}

function found<Entry extends { readonly tenant: string }>(entry: Entry | undefined, tenant: string): Entry {
  if (entry?.tenant !== tenant) throw new SecureGateError('record_not_found', 'No such record');
  return entry;
}

function checkVersion({ version }: { readonly version: number }, expected: number | undefined): void {
  if (expected !== undefined && expected !== version) throw new SecureGateError('version_conflict', 'Changed in the meantime');
}

function listen<Value>(all: Map<string, Set<(value: Value) => void>>, key: string, listener: (value: Value) => void): () => void {
  const listeners = all.get(key) ?? new Set();
  all.set(key, listeners.add(listener));
  return () => void listeners.delete(listener);
}
