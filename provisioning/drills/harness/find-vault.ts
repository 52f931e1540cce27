import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** The process of a tenant's vault: that child of the daemon which holds the tenant's files. @throws {Error} where there is none */
export async function findVault(daemon: number, tenant: string): Promise<number> {
  for (const child of await childrenOf(daemon)) {
    // A file may be closed, or a process end, between the listing and the look at it.
    const files = await readdir(`/proc/${child}/fd`).catch(() => []);
    const links = await Promise.all(files.map((file) => readlink(`/proc/${child}/fd/${file}`).catch(() => '')));
    if (links.some((link) => link.includes(join('tenants', tenant)))) return child;
  }
  throw new Error(`no vault of ${tenant} below ${daemon}`);
}

/** Processes that a process has started. */
export async function childrenOf(pid: number): Promise<number[]> {
  const listed = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return listed.split(' ').filter(Boolean).map(Number);
}
