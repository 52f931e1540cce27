import type { LookupAddress, LookupOptions } from 'node:dns';
import { lookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { isPublicAddress } from './is-public-address.ts';

export type Resolve = (hostname: string, options: LookupOptions & { all: true }) => Promise<LookupAddress[]>;

/**
 * Name resolution for a connection that must not lead into a private network: what it resolves to is checked and is what
 * is connected to, so that a name cannot mean one address when it is checked and another one when it is called.
 * One private address among several refuses them all.
 */
export function publicLookup(resolve: Resolve = lookup): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }).then(
      (addresses) => {
        const [first] = addresses;
        if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address))) {
          done(new SecureGateError('webhook_target_refused', 'The name leads to this box or to a private network'), '');
        } else if (options.all) done(null, addresses);
        else done(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => done(error, ''),
    );
  };
}
