import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigInput } from '../../edge/config/schema.ts';
import { CAMERAS, TENANTS } from './footage/script.ts';

/** The org of both venues. */
export const ORG = 'demo';

/** Where one run of the demo keeps everything that the daemon writes, and the control plane where there is one. */
export interface RunFolder {
  readonly path: string;
  readonly data: string;
  readonly cloud: string;
  readonly config: string;
  readonly log: string;
}

/** As long as it may be: time enough to enrol somebody unknown while the box still has the face. */
export const UNMATCHED_TTL_MS = 60_000;

/** On any free port: another box, or another demo, may run on this machine. */
const BOX = { dataDir: 'data', keyDir: 'keys', api: { port: 0 } } as const;

/** Makes the folder and makes its own temporary folder the one of this process and all that it starts. */
export async function makeRunFolder(env: NodeJS.ProcessEnv): Promise<RunFolder> {
  const path = await mkdtemp(join(tmpdir(), 'securegate-demo-'));
  const temporary = join(path, 'tmp');
  for (const folder of ['data', 'keys', 'tmp', 'log']) await mkdir(join(path, folder), { mode: 0o700 });
  env.TMPDIR = temporary;
  const at = (...names: string[]): string => join(path, ...names);
  return { path, data: at('data'), cloud: at('cloud'), config: at('box.json'), log: at('log', 'daemon.log') };
}

/**
 * Writes the configuration of the box: two venues with two cameras each.
 * @param urls address of the stream by the camera's id; without them the box has no cameras yet
 */
export async function writeConfig(run: RunFolder, urls: Readonly<Record<string, string>>): Promise<void> {
  const cameras = CAMERAS.flatMap(({ id, tenant }) => (urls[id] === undefined ? [] : [{ id, tenant, url: urls[id] }]));
  const tenants = TENANTS.map((id) => ({ id, org: ORG, unmatchedTtlMs: UNMATCHED_TTL_MS }));
  await write(run, { ...BOX, tenants, cameras });
}

/** Writes the configuration of a box that is told by its control plane what it has. */
export async function writeEnrolledConfig(run: RunFolder): Promise<void> {
  await write(run, BOX);
}

async function write({ config }: RunFolder, content: ConfigInput): Promise<void> {
  await writeFile(config, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
}

/** Secret that opens the API: the daemon made it at its first start. */
export async function readAdminToken({ path }: RunFolder): Promise<string> {
  const { adminTokenFile } = await import('../../edge/appliance/admin-token-file.ts');
  return (await readFile(adminTokenFile(join(path, 'keys')), 'utf8')).trim();
}

export async function removeRunFolder({ path }: RunFolder): Promise<void> {
  await rm(path, { recursive: true, force: true });
}
