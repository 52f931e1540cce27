import { SecureGateError } from '../errors/securegate-error.ts';
import { isLoopback } from '../net/is-loopback.ts';
import type { HttpApi } from './http-api.ts';

/**
 * For plain HTTP, which only this machine is served with: turns away a page from elsewhere whose name was made to mean this
 * machine (DNS rebinding), and which the browser takes for a page of this box. With TLS, the certificate keeps it away.
 */
export function addHostCheck(api: HttpApi): void {
  api.addHook('onRequest', async ({ host }) => {
    if (!isLoopback(host.replace(/:\d+$/, ''))) throw new SecureGateError('wrong_host', 'This box is not called by that name');
  });
}
