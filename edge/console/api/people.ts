import { path } from './path.ts';
import { query } from './query.ts';
import { request } from './request.ts';
import type { Consent, Customer, CustomerPatch, Face, NewCustomer, NewFace, Page, SearchResult, VerifyResult } from './types.ts';

export const people = {
  list: (tenant: string, filter: { query?: string; cursor?: string; limit?: number }, signal: AbortSignal) =>
    request<Page<Customer>>('GET', path`/v1/tenants/${tenant}/customers` + query(filter), { signal }),
  get: (tenant: string, id: string, signal: AbortSignal) =>
    request<Customer>('GET', path`/v1/tenants/${tenant}/customers/${id}`, { signal }),
  add: (tenant: string, customer: NewCustomer, idempotencyKey: string) =>
    request<Customer>('POST', path`/v1/tenants/${tenant}/customers`, { body: customer, idempotencyKey }),
  change: (tenant: string, { id, version }: Customer, patch: CustomerPatch) =>
    request<Customer>('PATCH', path`/v1/tenants/${tenant}/customers/${id}`, { body: patch, version }),
  remove: (tenant: string, { id, version }: Customer) => request<void>('DELETE', path`/v1/tenants/${tenant}/customers/${id}`, { version }),
  recordConsent: (tenant: string, id: string, consent: Consent) =>
    request<Customer>('PUT', path`/v1/tenants/${tenant}/customers/${id}/consent`, { body: consent }),
  withdrawConsent: (tenant: string, id: string) => request<void>('DELETE', path`/v1/tenants/${tenant}/customers/${id}/consent`),
  faces: (tenant: string, id: string, signal: AbortSignal) =>
    request<Page<Face>>('GET', path`/v1/tenants/${tenant}/customers/${id}/faces`, { signal }),
  addFace: (tenant: string, id: string, picture: Blob) =>
    request<NewFace>('POST', path`/v1/tenants/${tenant}/customers/${id}/faces`, { file: picture }),
  addFaceFromSighting: (tenant: string, id: string, sightingId: string) =>
    request<NewFace>('POST', path`/v1/tenants/${tenant}/customers/${id}/faces/from-sighting`, { body: { sightingId } }),
  removeFace: (tenant: string, id: string, faceId: string) =>
    request<void>('DELETE', path`/v1/tenants/${tenant}/customers/${id}/faces/${faceId}`),
  facePicturePath: (tenant: string, id: string, faceId: string) => path`/v1/tenants/${tenant}/customers/${id}/faces/${faceId}/picture`,
  verify: (tenant: string, id: string, picture: Blob) =>
    request<VerifyResult>('POST', path`/v1/tenants/${tenant}/customers/${id}/verify`, { file: picture }),
  search: (tenant: string, picture: Blob, signal: AbortSignal) =>
    request<SearchResult>('POST', path`/v1/tenants/${tenant}/search`, { file: picture, signal }),
};
