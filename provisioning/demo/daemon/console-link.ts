import { SecureGateError } from '../../../shared/errors/securegate-error.ts';

/**
 * Asks a running box for a login link.
 * @param api address of its API
 * @param adminToken opens the API
 * @returns address of the console that logs in once, within ten minutes: a secret, for the terminal alone
 * @throws {SecureGateError} `demo_failed` where the box makes none
 */
export async function consoleLink(api: string, adminToken: string): Promise<string> {
  const answer = await fetch(new URL('/v1/login-links', api), { method: 'POST', headers: { authorization: `Bearer ${adminToken}` } });
  if (answer.status !== 201) throw new SecureGateError('demo_failed', `The box made no login link (${answer.status})`);
  const { link } = (await answer.json()) as { readonly link: string };
  return new URL(`/#link=${link}`, api).href;
}
