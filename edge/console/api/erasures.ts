import { path } from './path.ts';
import { request } from './request.ts';
import type { Erasure, Page } from './types.ts';

export const erasures = {
  /** The last ones. */
  list: (tenant: string, signal: AbortSignal) => request<Page<Erasure>>('GET', path`/v1/tenants/${tenant}/erasures`, { signal }),
  /** Gives the venue another tenant key now. */
  move: (tenant: string) => request<{ epoch: number }>('POST', path`/v1/tenants/${tenant}/erasures/move`),
};
