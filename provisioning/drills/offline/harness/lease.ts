import { DEFAULT_LEASE_SECONDS } from '../../../../shared/lease/lease-token.ts';
import { TENANTS } from '../../../demo/footage/script.ts';

/** Tenant under a lease, and the other one, whose key is a file and who must not notice. */
export const [LEASED, OTHER] = TENANTS;
export const LEASE_MS = DEFAULT_LEASE_SECONDS * 1000;
