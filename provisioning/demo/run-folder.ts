import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigInput } from '../../edge/config/schema.ts';
import { CAMERAS, TENANTS } from './footage/script.ts';

/** Where one run of the demo keeps everything that the daemon writes. */
export interface RunFolder {
  readonly path: string;
  readonly data: string;
  readonly config: string;
  readonly log: string;
}

/** Makes the folder and makes its own temporary folder the one of this process and all that it starts. */
export async function makeRunFolder(env: NodeJS.ProcessEnv): Promise<RunFolder> {
  const path = await mkdtemp(join(tmpdir(), 'securegate-demo-'));
  const temporary = join(path, 'tmp');
  for (const folder of ['data', 'keys', 'tmp', 'log']) await mkdir(join(path, folder), { mode: 0o700 });
  env.TMPDIR = temporary;
  return { path, data: join(path, 'data'), config: join(path, 'box.json'), log: join(path, 'log', 'daemon.log') };
}

/**
 * Writes the configuration of the box: two venues with two cameras each.
 * @param urls address of the stream by the camera's id; without them the box has no cameras yet
 */
export async function writeConfig(run: RunFolder, urls: Readonly<Record<string, string>>): Promise<void> {
  const cameras = CAMERAS.flatMap(({ id, tenant }) => (urls[id] === undefined ? [] : [{ id, tenant, url: urls[id] }]));
  const config: ConfigInput = {
    dataDir: 'data',
    keyDir: 'keys',
    // Any free port: another box, or another demo, may run on this machine.
    api: { port: 0 },
    // As long as it may be: time enough to enrol somebody unknown while the box still has the face.
    tenants: TENANTS.map((id) => ({ id, org: 'demo', unmatchedTtlMs: 60_000 })),
    cameras,
  };
  await writeFile(run.config, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
}

/** Secret that opens the API: the daemon made it at its first start. */
export async function readAdminToken({ path }: RunFolder): Promise<string> {
  const { adminTokenFile } = await import('../../edge/appliance/admin-token-file.ts');
  return (await readFile(adminTokenFile(join(path, 'keys')), 'utf8')).trim();
}

export async function removeRunFolder({ path }: RunFolder): Promise<void> {
  await rm(path, { recursive: true, force: true });
}
