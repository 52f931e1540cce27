import { path } from './path.ts';
import { request } from './request.ts';
import type { NewTenant, Page, Tenant, TenantPatch } from './types.ts';

export const tenants = {
  list: (signal: AbortSignal) => request<Page<Tenant>>('GET', '/v1/tenants', { signal }),
  /** Makes the vault, too. */
  add: (tenant: NewTenant, idempotencyKey: string) => request<Tenant>('POST', '/v1/tenants', { body: tenant, idempotencyKey }),
  change: (id: string, patch: TenantPatch) => request<Tenant>('PATCH', path`/v1/tenants/${id}`, { body: patch }),
  /** Tries a vault that failed once more. */
  open: (id: string) => request<Tenant>('POST', path`/v1/tenants/${id}/open`),
};
