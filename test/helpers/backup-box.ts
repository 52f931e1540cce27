import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { openAppliance } from '../../edge/appliance/open-appliance.ts';
import { DaemonProcess } from './daemon-process.ts';
import { freePort } from './free-port.ts';
import { tempFolder } from './temp-folder.ts';
import { type TestBox, testClient } from './vault.ts';
import { consentFor, guest, pictureOf } from './vault-guests.ts';

const MAIN = fileURLToPath(new URL('../../provisioning/main.ts', import.meta.url));

export interface Ran {
  /** Exit code. */
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

/** `securegate backup …` as a process. */
export async function backup(...args: string[]): Promise<Ran> {
  return promisify(execFile)(process.execPath, [MAIN, 'backup', ...args]).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: Ran) => error,
  );
}

/** A box on the disk with tenant `hall`, whose keyring has a replica; its daemon is a process, or does not run. */
export class BackupBox {
  readonly folder: string;
  readonly #port: number;

  constructor(folder: string, port: number) {
    this.folder = folder;
    this.#port = port;
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  get config(): string {
    return this.path('box.json');
  }

  /** The id of the box is made by the first call. */
  get files(): TestBox {
    const dataDir = this.path('data');
    const appliance = openAppliance(dataDir);
    appliance.close();
    return { box: appliance.box, dataDir, keyDir: this.path('keys') };
  }

  async write(): Promise<void> {
    const config = {
      dataDir: 'data',
      keyDir: 'keys',
      keyringReplicaDir: 'replica',
      api: { port: this.#port },
      inference: { workers: 1 },
      tenants: [{ id: 'hall', org: 'acme' }],
    };
    for (const name of ['keys', 'replica']) await mkdir(this.path(name), { mode: 0o700 });
    await writeFile(this.config, JSON.stringify(config));
  }

  /** Enrols guests with faces and pictures while the daemon does not run. @returns their ids */
  async enrol(seeds: readonly number[]): Promise<string[]> {
    const vault = testClient(this.files);
    await vault.start();
    const ids: string[] = [];
    for (const seed of seeds) {
      const { faces, ...person } = guest(seed);
      const { customerId } = await vault.enrolCustomer({ ...person, faces: faces.map((face) => ({ ...face, picture: pictureOf(seed) })) });
      ids.push(customerId);
    }
    await vault.stop();
    return ids;
  }

  /** Starts the daemon; it is ready when this resolves. */
  async start(): Promise<DaemonProcess> {
    const daemon = new DaemonProcess(this.config);
    onTestFinished(() => daemon.cleanUp());
    await daemon.until('ready');
    return daemon;
  }

  async ask(method: string, path: string, body?: object): Promise<Response> {
    const token = (await readFile(this.path('keys', 'admin.token'), 'utf8')).trim();
    return fetch(`http://127.0.0.1:${this.#port}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  }

  /** Adds a guest without a face by the API. @returns his id, once he is acknowledged */
  async add(name: string): Promise<string> {
    const answer = await this.ask('POST', '/v1/tenants/hall/customers', { name, consent: consentFor() });
    if (answer.status !== 201) throw new Error(`${name} was not added: ${answer.status}`);
    return ((await answer.json()) as { id: string }).id;
  }

  async erase(customerId: string): Promise<void> {
    const { status } = await this.ask('DELETE', `/v1/tenants/hall/customers/${customerId}`);
    if (status !== 204) throw new Error(`${customerId} was not erased: ${status}`);
  }

  async customers(): Promise<string[]> {
    const ids: string[] = [];
    for (let cursor = ''; ; ) {
      const answer = await this.ask('GET', `/v1/tenants/hall/customers?limit=200${cursor}`);
      const { items, next } = (await answer.json()) as { items: { id: string }[]; next: string | null };
      ids.push(...items.map(({ id }) => id));
      if (next === null) return ids;
      cursor = `&cursor=${next}`;
    }
  }

  async health(): Promise<unknown> {
    return (await this.ask('GET', '/readyz')).json();
  }
}

export async function backupBox(): Promise<BackupBox> {
  const box = new BackupBox(await tempFolder(), await freePort());
  await box.write();
  return box;
}
