import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot } from '../../models/registry/project-root.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { type EmbeddedFolder, openEmbeddedFolder } from './embedded-folder.ts';
import { freePort } from './free-port.ts';

const READY = 'The control plane answers at';

/** `securegate cloud up` as a process of its own: control plane, broker and KMS, on ports of loopback that were free when the folder was made. */
export class CloudProcess {
  readonly folder: string;
  #made: EmbeddedFolder | undefined;
  #child: ChildProcess | undefined;

  /** @param folder where they keep everything, their log among it */
  constructor(folder: string) {
    this.folder = folder;
  }

  /** Configuration of the control plane. */
  get config(): string {
    return this.#embedded.cloudConfig;
  }

  /** What the tools of the HSM need in their environment. */
  get env(): Readonly<Record<string, string>> {
    return this.#embedded.kmsEnv;
  }

  /** Where the tenants' keys are: SoftHSM2 where it is installed, else a sealed file. */
  get hsm(): 'SoftHSM2' | 'software' {
    return Object.keys(this.env).length > 0 ? 'SoftHSM2' : 'software';
  }

  /** Configuration of the security officer. */
  get trustConfig(): string {
    return join(this.folder, 'kms-trust.json');
  }

  /** Where the API is. */
  get url(): string {
    return `http://127.0.0.1:${this.#ports.api.port}`;
  }

  /** Where boxes enrol. */
  get fleetUrl(): string {
    return `https://localhost:${this.#ports.fleet.port}`;
  }

  /** Where boxes are connected that are enrolled. */
  get brokerUrl(): string {
    return `mqtts://localhost:${this.#ports.fleet.broker.port}`;
  }

  /** @throws {SecureGateError} `cloud_unavailable` when it ends instead */
  async start(): Promise<void> {
    this.#made ??= openEmbeddedFolder(this.folder, {
      port: await freePort(),
      fleetPort: await freePort(),
      brokerPort: await freePort(),
    });
    const main = join(projectRoot(), 'provisioning', 'main.ts');
    const child = spawn(process.execPath, [main, 'cloud', 'up', '--data', this.folder], {
      // A terminal's Ctrl-C goes to all of a group; whoever uses it ends first.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stderr.pipe(createWriteStream(join(this.folder, 'cloud.log'), { flags: 'a', mode: 0o600 }));
    const lines = createInterface({ input: child.stdout });
    const ready = new Promise<void>((resolve) => {
      lines.on('line', (line) => {
        if (line.startsWith(READY)) resolve();
      });
    });
    const ended = once(child, 'exit').then(() => {
      throw new SecureGateError('cloud_unavailable', `The control plane ended while it started; ${this.folder}/cloud.log says why`);
    });
    await Promise.race([ready, ended]);
    ended.catch(() => undefined);
  }

  /** Ends it in order. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  }

  get #embedded(): EmbeddedFolder {
    if (this.#made === undefined) throw new Error('The control plane was not started');
    return this.#made;
  }

  get #ports(): {
    readonly api: { readonly port: number };
    readonly fleet: { readonly port: number; readonly broker: { readonly port: number } };
  } {
    return JSON.parse(readFileSync(this.config, 'utf8'));
  }
}
