import { SecureGateError } from '../../shared/errors/securegate-error.ts';

export interface CloudOptions {
  readonly config: string;
  /** Whose rights are used; without one, those of the operator on this machine. */
  readonly account?: string;
  readonly json?: true;
}

/**
 * Asks the control plane on this machine, as one of its accounts.
 * @throws {SecureGateError} its refusal; `config_invalid` when its port is chosen at the start, `cloud_unavailable`
 */
export async function askCloud(
  { config, account }: CloudOptions,
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  body?: object,
): Promise<unknown> {
  const { signToken } = await import('../../cloud/sign-token.ts');
  const { token, url } = await signToken(config, account);
  if (url === null) throw new SecureGateError('config_invalid', 'The configuration gives the control plane no port of its own');
  const headers = { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  const answer = await send(`${url}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const content = (await answer.json()) as { code?: string; detail?: string; details?: Record<string, unknown> };
  if (answer.ok) return content;
  throw SecureGateError.fromJSON({ code: content.code ?? 'internal', message: content.detail ?? '', details: content.details ?? {} });
}

async function send(url: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(url, request);
  } catch (cause) {
    throw new SecureGateError('cloud_unavailable', `The control plane does not answer at ${new URL(url).origin}`, { cause });
  }
}
