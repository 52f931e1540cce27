import { isIP } from 'node:net';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { isPublicAddress } from './is-public-address.ts';

/**
 * Looks at a webhook's address before anything is resolved. A name is judged when it is called, by what it resolves to then.
 * @param allowPrivate the configuration's `webhooks.allowPrivateTargets`
 * @throws {SecureGateError} `webhook_target_refused`
 */
export function checkTarget(url: string, allowPrivate: boolean): URL {
  const target = URL.canParse(url) ? new URL(url) : undefined;
  if (target === undefined || !/^https?:$/.test(target.protocol)) throw refused('It is no http or https address');
  if (target.username !== '' || target.password !== '') throw refused('It carries credentials, which the signature replaces');
  if (allowPrivate) return target;
  if (target.protocol !== 'https:') throw refused('It is not https');
  // URL has already turned every notation of an address (hex, octal, one number) into the usual one.
  const host = target.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !isPublicAddress(host)) throw refused('It is an address of this box or of a private network');
  return target;
}

function refused(why: string): SecureGateError {
  return new SecureGateError('webhook_target_refused', `The target is not called: ${why}`);
}
