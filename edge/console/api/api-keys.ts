import { path } from './path.ts';
import { request } from './request.ts';
import type { ApiKey, CreatedApiKey, NewApiKey, Page } from './types.ts';

export const apiKeys = {
  /** Revoked ones too. */
  list: (tenant: string, signal: AbortSignal) => request<Page<ApiKey>>('GET', path`/v1/tenants/${tenant}/api-keys`, { signal }),
  /** The answer holds the key itself, this once. */
  add: (tenant: string, key: NewApiKey) => request<CreatedApiKey>('POST', path`/v1/tenants/${tenant}/api-keys`, { body: key }),
  revoke: (tenant: string, id: string) => request<void>('DELETE', path`/v1/tenants/${tenant}/api-keys/${id}`),
};
