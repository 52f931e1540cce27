import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { LocalIssuer } from '../../cloud/iam/local-issuer.ts';
import { LOCAL_OPERATOR } from '../../cloud/iam/local-operator.ts';
import { noteToken } from './secrecy/note-secret.ts';

export const MAIN = fileURLToPath(new URL('../../provisioning/main.ts', import.meta.url));

export interface Asking {
  readonly account?: string;
  readonly org?: string;
  /** The request's Idempotency-Key. */
  readonly key?: string;
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what is asserted says what it is
  readonly body: any;
}

/** The control plane as a process of its own, which can be killed. */
export class CloudProcess {
  readonly url: string;
  readonly dataDir: string;
  readonly #config: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #issuer: LocalIssuer;
  #child: ChildProcess | undefined;

  constructor(port: number, config: string, dataDir: string, env: NodeJS.ProcessEnv) {
    this.url = `http://127.0.0.1:${port}`;
    this.dataDir = dataDir;
    this.#config = config;
    this.#env = env;
    this.#issuer = LocalIssuer.open(dataDir);
    onTestFinished(() => void this.#child?.kill('SIGKILL'));
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, [MAIN, 'cloud', 'run', '--config', this.#config], { env: this.#env, stdio: 'ignore' });
    this.#child = child;
    await expect.poll(() => this.#answers(), { timeout: 90_000 }).toBe(true);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async ask(method: string, path: string, body?: object, { account = LOCAL_OPERATOR, org = '', key }: Asking = {}): Promise<Answer> {
    const token = noteToken('access token', await this.#issuer.sign(account, org, Date.now()));
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    };
    const answer = await fetch(`${this.url}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    return { status: answer.status, body: await answer.json() };
  }

  async #answers(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/healthz`)).ok;
    } catch {
      return false;
    }
  }
}
