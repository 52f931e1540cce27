import { readFile } from 'node:fs/promises';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';

/** Longest wait for an answer: opening a large vault takes its time. */
const PATIENCE_MS = 120_000;

/** The box that runs on this machine, by its API. */
export class RunningBox {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** @throws {SecureGateError} the box's own, `box_unreachable` */
  async ask(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<unknown> {
    const headers = { authorization: `Bearer ${this.#token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const request = {
      method,
      headers,
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    let answer: Response;
    try {
      answer = await fetch(new URL(path, this.#url), request);
    } catch (cause) {
      throw new SecureGateError('box_unreachable', `Nothing answers at ${this.#url}`, { cause });
    }
    const told = (await answer.json()) as { code: string; detail: string; details: Record<string, unknown> };
    if (answer.ok) return told;
    throw SecureGateError.fromJSON({ code: told.code, message: told.detail, details: told.details });
  }
}

/**
 * @param api where the box is served, if not where its configuration says
 * @throws {SecureGateError} `config_missing`, `config_invalid`, `file_unreadable` (the admin token: its owner is the user of the box)
 */
export async function runningBox(configFile: string, api?: string): Promise<RunningBox> {
  const [{ loadConfig }, { adminTokenFile }] = await Promise.all([
    import('../../edge/config/load-config.ts'),
    import('../../edge/appliance/admin-token-file.ts'),
  ]);
  const config = loadConfig(configFile);
  const { host, port, tls } = config.api;
  const file = adminTokenFile(config.keyDir);
  const token = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new SecureGateError('file_unreadable', `Cannot read ${file}`, { cause, details: { file } });
  });
  return new RunningBox(api ?? `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`, token.trim());
}
