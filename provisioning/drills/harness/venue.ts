import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigInput } from '../../../edge/config/schema.ts';
import { createLogger } from '../../../shared/log/create-logger.ts';
import { type RunningCameras, startCameras } from '../../demo/camera/start-cameras.ts';
import { type EnrolledGuest, enrolGuests } from '../../demo/enrolment/enrol-guests.ts';
import { CAMERAS, FRAME, TENANTS, type TenantId } from '../../demo/footage/script.ts';
import { type Prepared, prepare } from '../../demo/prepare.ts';
import { Box } from './box.ts';

/** Tenant that things happen to, and the other one, who must not notice. */
export const [STRUCK, SPARED] = TENANTS;

export interface BoxSetup {
  /** Addresses of further cameras of the struck tenant, by id. */
  readonly more?: Readonly<Record<string, string>>;
  /** Without it the four cameras of the demo are there. */
  readonly withoutCameras?: true;
  readonly imports?: readonly URL[];
  readonly config?: Partial<ConfigInput>;
}

/** What all drills share: the demo's two venues with their guests enrolled, and four cameras that nothing happens to. */
export class Venue {
  readonly #say: (line: string) => void;
  readonly #boxes = new Set<Box>();
  #folder = '';
  #prepared: Prepared | undefined;
  #cameras: RunningCameras | undefined;
  #guests: readonly EnrolledGuest[] = [];
  #count = 0;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  async start(): Promise<void> {
    this.#prepared = await prepare(this.#say);
    this.#folder = await mkdtemp(join(tmpdir(), 'securegate-drill-'));
    this.#say('enrolling the guests of two venues');
    await mkdir(join(this.#folder, 'enrolled'));
    const config = await this.#configure('enrolled', {});
    const { loadConfig } = await import('../../../edge/config/load-config.ts');
    const logger = createLogger('drill', { level: 'warn' });
    this.#guests = await enrolGuests({ config: loadConfig(config), logger, photo: this.#prepared.photo, now: Date.now() });
    this.#cameras = await startCameras({ videos: Object.fromEntries(this.#prepared.footage), fps: FRAME.fps, end: 'loop' });
  }

  async stop(): Promise<void> {
    await this.clear();
    await this.#cameras?.stop();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 10 });
  }

  /** Makes a box with a copy of the enrolled guests; it is not started yet. */
  async box(setup: BoxSetup = {}): Promise<Box> {
    this.#count += 1;
    const name = `box-${this.#count}`;
    const folder = join(this.#folder, name);
    await mkdir(folder);
    for (const part of ['data', 'keys']) await cp(join(this.#folder, 'enrolled', part), join(folder, part), { recursive: true });
    await this.#configure(name, setup);
    const living = setup.withoutCameras ? [] : CAMERAS.map(({ id }) => id);
    const box = new Box({ folder, living, ...(setup.imports === undefined ? {} : { imports: setup.imports }) });
    this.#boxes.add(box);
    return box;
  }

  /** Ends the boxes of the drill that is over. */
  async clear(): Promise<void> {
    const boxes = [...this.#boxes];
    this.#boxes.clear();
    await Promise.all(boxes.map((box) => box.remove()));
  }

  /** Path of a file beside the boxes. */
  path(name: string): string {
    return join(this.#folder, name);
  }

  /** H.264 byte stream of one of the demo's cameras. */
  async film(camera: string): Promise<Buffer> {
    return readFile(this.filmOf(camera));
  }

  filmOf(camera: string): string {
    const file = this.#prepared?.footage.get(camera);
    if (file === undefined) throw new RangeError(`No camera ${camera}`);
    return file;
  }

  /** A picture that a guest of this tenant was enrolled with, and his id. */
  guest(tenant: TenantId): { customerId: string; picture: Buffer } {
    const guest = this.#guests.find((one) => one.tenant === tenant);
    const [picture] = guest?.pictures ?? [];
    if (guest === undefined || picture === undefined) throw new RangeError(`No guest of ${tenant}`);
    return { customerId: guest.customerId, picture };
  }

  async #configure(name: string, { more = {}, withoutCameras, config = {} }: BoxSetup): Promise<string> {
    const urls = withoutCameras ? {} : (this.#cameras?.urls ?? {});
    const living = CAMERAS.flatMap(({ id, tenant }) => (urls[id] === undefined ? [] : [{ id, tenant, url: urls[id] }]));
    const further = Object.entries(more).map(([id, url]) => ({ id, tenant: STRUCK, url }));
    const file = join(this.#folder, name, 'box.json');
    const written: ConfigInput = {
      dataDir: 'data',
      keyDir: 'keys',
      api: { port: 0 },
      tenants: TENANTS.map((id) => ({ id, org: 'drill' })),
      cameras: [...living, ...further],
      ...config,
    };
    await writeFile(file, JSON.stringify(written), { mode: 0o600 });
    return file;
  }
}
