/** Orders to a box, about a tenant. */
export const renew = (tenant: string) => ({ kind: 'renew-lease', body: { tenant } }) as const;
export const restart = (tenant: string) => ({ kind: 'restart-tenant', body: { tenant } }) as const;
export const revoke = (tenant: string) => ({ kind: 'revoke-lease', body: { tenant } }) as const;
