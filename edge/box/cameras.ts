import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import { SerialWork } from '../../shared/runtime/serial-work.ts';
import type { CameraSettings, CamerasPort, CameraView } from '../api/ports.ts';
import type { CameraUnit } from '../camera-unit.ts';
import type { CameraConfig, Config } from '../config/schema.ts';
import { LiveView } from '../media/live/live-view.ts';
import type { SeenTrack } from '../pipeline/frame.ts';
import { allPages } from '../runtime/all-pages.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Part } from '../runtime/lifecycle.ts';
import type { VaultClient } from '../vault/client.ts';
import { cameraRecord, cameraSettings } from './camera-record.ts';
import { safeAddress } from './safe-address.ts';
import { testCamera } from './test-camera.ts';

const KIND = 'cameras';
const PAGE = 100;
const MOST_CAMERAS = 64;
/** Camera tests that may run at once on the box: each opens a connection of its own. */
const MOST_TESTS = 4;
const FIXED_VERSION = 1;

type CameraLiveView = LiveView<SeenTrack>;

interface HeldCamera {
  readonly id: string;
  readonly fixed: boolean;
  readonly live: CameraLiveView;
  settings: CameraSettings;
  version: number;
  unit: CameraUnit;
  started: boolean;
}

interface TenantCameras {
  readonly byId: Map<string, HeldCamera>;
  readonly work: SerialWork;
  /** Whether the cameras in the vault are held, too. */
  read: boolean;
}

export interface CamerasOptions {
  readonly config: Pick<Config, 'cameras' | 'cameraCaFile'>;
  /** Whether a tenant that the configuration file names is on this box: one that was shredded is not. */
  readonly hasTenant: (tenant: string) => boolean;
  /** @throws {SecureGateError} `tenant_not_found` */
  readonly vault: (tenant: string) => VaultClient;
  readonly buildUnit: (camera: CameraConfig, live: CameraLiveView) => CameraUnit;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The cameras of the box: those of the configuration file, and those that lie in the vaults of their tenants. A tenant's
 * cameras run once its vault is open: nobody's face is looked at for a tenant whose guests cannot be told from strangers.
 */
export class Cameras implements CamerasPort, Part {
  readonly name = 'cameras';
  readonly #options: CamerasOptions;
  readonly #tenants = new Map<string, TenantCameras>();
  #running = false;
  #tests = 0;

  constructor(options: CamerasOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#running = true;
    const { config, hasTenant } = this.#options;
    for (const { id, tenant, url, fps, tiles } of config.cameras.filter((camera) => hasTenant(camera.tenant))) {
      this.#hold(tenant, id, { slug: id, url, fps, tiles }, FIXED_VERSION, true);
    }
  }

  async stop(): Promise<void> {
    this.#running = false;
    const tenants = [...this.#tenants.values()];
    await Promise.all(tenants.map(({ work }) => work.idle()));
    const outcomes = await Promise.allSettled(tenants.flatMap(({ byId }) => [...byId.values()]).map(stopUnit));
    const failed = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    if (failed.length > 0) throw new AggregateError(failed, 'cameras did not stop cleanly');
  }

  /** Starts the cameras of a tenant whose vault is open, unless they run already. */
  open(tenant: string): Promise<void> {
    const cameras = this.#of(tenant);
    return cameras.work.run(async () => {
      if (!this.#running) return;
      if (!cameras.read) {
        const vault = this.#options.vault(tenant);
        const records = await allPages((cursor) => vault.listRecords(KIND, { cursor, limit: PAGE }));
        for (const { id, version, data } of records) {
          const settings = cameraSettings(data);
          if (!cameras.byId.has(id)) this.#hold(tenant, id, settings, version, false);
        }
        cameras.read = true;
      }
      for (const camera of cameras.byId.values()) await this.#startUnit(camera);
    });
  }

  /** Stops the cameras of a tenant whose vault is closed, until it is open again. */
  close(tenant: string): Promise<void> {
    const cameras = this.#of(tenant);
    return cameras.work.run(async () => {
      await Promise.all(
        Array.from(cameras.byId.values(), async (camera) => {
          if (!camera.started) return;
          await stopUnit(camera);
          camera.unit = this.#unitOf(tenant, camera.settings, camera.live);
        }),
      );
    });
  }

  /** What the cameras of a tenant are set to; undefined until those in its vault are known. */
  settings(tenant: string): readonly Pick<HeldCamera, 'id' | 'fixed' | 'settings'>[] | undefined {
    const cameras = this.#known(tenant);
    return cameras.read ? [...cameras.byId.values()] : undefined;
  }

  /** The tenant is gone: its cameras stop and are forgotten. */
  async drop(tenant: string): Promise<void> {
    const { byId, work } = this.#of(tenant);
    await work.run(async () => {
      this.#tenants.delete(tenant);
      await Promise.all(Array.from(byId.values(), stopUnit));
    });
  }

  /** The units of all cameras that are held, for figures. */
  units(): CameraUnit[] {
    return Array.from(this.#tenants.values(), ({ byId }) => Array.from(byId.values(), ({ unit }) => unit)).flat();
  }

  list(tenant: string): readonly CameraView[] {
    return Array.from(this.#known(tenant).byId.values(), viewOf);
  }

  get(tenant: string, id: string): CameraView {
    return viewOf(this.#find(tenant, id));
  }

  add(tenant: string, wanted: CameraSettings, given?: string): Promise<CameraView> {
    const cameras = this.#known(tenant);
    return cameras.work.run(async () => {
      const settings = cameraSettings(cameraRecord(wanted));
      this.#refuseTaken(cameras, settings.slug);
      if (cameras.byId.size >= MOST_CAMERAS) {
        throw new SecureGateError('conflict', 'This tenant has as many cameras as it can have', { details: { most: MOST_CAMERAS } });
      }
      const { id, version } = await this.#options.vault(tenant).addRecord(KIND, cameraRecord(settings), { id: given });
      const camera = this.#hold(tenant, id, settings, version, false);
      await this.#startUnit(camera);
      return viewOf(camera);
    });
  }

  change(tenant: string, id: string, wanted: Partial<CameraSettings>, version?: number): Promise<CameraView> {
    const cameras = this.#known(tenant);
    return cameras.work.run(async () => {
      const camera = this.#changeable(tenant, id);
      const given = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
      const settings = cameraSettings(cameraRecord({ ...camera.settings, ...given }));
      this.#refuseTaken(cameras, settings.slug, id);
      const stored = await this.#options.vault(tenant).changeRecord(KIND, id, cameraRecord(settings), version);
      const earlier = camera.settings;
      Object.assign(camera, { settings, version: stored.version });
      if (!runsAlike(earlier, settings)) {
        await stopUnit(camera);
        camera.unit = this.#unitOf(tenant, settings, camera.live);
        await this.#startUnit(camera);
      }
      return viewOf(camera);
    });
  }

  remove(tenant: string, id: string, version?: number): Promise<void> {
    const cameras = this.#known(tenant);
    return cameras.work.run(async () => {
      const camera = this.#changeable(tenant, id);
      await this.#options.vault(tenant).removeRecord(KIND, id, version);
      cameras.byId.delete(id);
      await stopUnit(camera);
    });
  }

  async test(url: string): Promise<Awaited<ReturnType<CamerasPort['test']>>> {
    const { url: checked } = cameraSettings({ slug: 'test', url, fps: 1 });
    if (this.#tests >= MOST_TESTS) throw new SecureGateError('overloaded', 'Other cameras are being tested');
    this.#tests += 1;
    try {
      const { config, clock } = this.#options;
      return await testCamera(checked, config.cameraCaFile, clock);
    } finally {
      this.#tests -= 1;
    }
  }

  watch(...[tenant, id, size, listener]: Parameters<CamerasPort['watch']>): () => void {
    return this.#find(tenant, id).live.watch(size, listener);
  }

  #hold(tenant: string, id: string, settings: CameraSettings, version: number, fixed: boolean): HeldCamera {
    const live: CameraLiveView = new LiveView();
    const unit = this.#unitOf(tenant, settings, live);
    const camera: HeldCamera = { id, fixed, live, settings, version, unit, started: false };
    this.#of(tenant).byId.set(id, camera);
    return camera;
  }

  #unitOf(tenant: string, { slug, url, fps, tiles }: CameraSettings, live: CameraLiveView): CameraUnit {
    return this.#options.buildUnit({ id: slug, tenant, url, fps, ...(tiles ? { tiles } : {}) }, live);
  }

  async #startUnit(camera: HeldCamera): Promise<void> {
    if (camera.started) return;
    camera.started = true;
    await camera.unit.start();
  }

  #of(tenant: string): TenantCameras {
    const cameras = this.#tenants.get(tenant) ?? { byId: new Map<string, HeldCamera>(), work: new SerialWork(), read: false };
    this.#tenants.set(tenant, cameras);
    return cameras;
  }

  /** @throws {SecureGateError} `tenant_not_found` */
  #known(tenant: string): TenantCameras {
    this.#options.vault(tenant);
    return this.#of(tenant);
  }

  #find(tenant: string, id: string): HeldCamera {
    const camera = this.#known(tenant).byId.get(id);
    if (camera === undefined) throw new SecureGateError('record_not_found', 'There is no such camera');
    return camera;
  }

  #changeable(tenant: string, id: string): HeldCamera {
    const camera = this.#find(tenant, id);
    if (camera.fixed) throw new SecureGateError('fixed_by_configuration', 'This camera is declared in the configuration file');
    return camera;
  }

  #refuseTaken(cameras: TenantCameras, slug: string, except?: string): void {
    for (const { id, settings } of cameras.byId.values()) {
      if (settings.slug === slug && id !== except) {
        throw new SecureGateError('conflict', 'There is a camera of this name', { details: { slug } });
      }
    }
  }
}

async function stopUnit(camera: HeldCamera): Promise<void> {
  if (!camera.started) return;
  camera.started = false;
  await camera.unit.stop();
}

/** Whether a change leaves the camera's connection and its pipeline as they are. */
function runsAlike(a: CameraSettings, b: CameraSettings): boolean {
  return a.slug === b.slug && a.url === b.url && a.fps === b.fps && JSON.stringify(a.tiles) === JSON.stringify(b.tiles);
}

function viewOf({ id, fixed, settings, version, unit }: HeldCamera): CameraView {
  const { slug, title = null, url, fps, tiles = null, roomId = null } = settings;
  const { state, fps: fpsGiven } = unit.stats();
  return { id, slug, title, address: safeAddress(url), fps, tiles, roomId, fixed, state, reason: unit.reason, fpsGiven, version };
}
