import type { EnrolledGuest } from '../enrolment/enrol-guests.ts';
import { TENANTS, type TenantId } from '../footage/script.ts';

/** More than a tenant has faces: every candidate there is. */
export const ALL_CANDIDATES = 32;

/** An enrolled face, and what it was made of. */
export interface SearchedFace {
  readonly picture: Buffer;
  readonly embedding: Float32Array;
}

/**
 * Searches every enrolled face in every tenant's vault.
 * @param search looks for up to {@link ALL_CANDIDATES} of a tenant
 * @returns how many candidates are no customers of the tenant that was searched
 */
export async function countForeignCandidates(
  enrolled: readonly EnrolledGuest[],
  search: (tenant: TenantId, face: SearchedFace) => Promise<readonly { readonly customerId: string }[]>,
): Promise<number> {
  const faces = enrolled.flatMap(({ pictures, embeddings }) =>
    pictures.flatMap((picture, index) => {
      const embedding = embeddings[index];
      return embedding === undefined ? [] : [{ picture, embedding }];
    }),
  );
  let foreign = 0;
  for (const tenant of TENANTS) {
    const own = new Set(enrolled.filter((guest) => guest.tenant === tenant).map(({ customerId }) => customerId));
    for (const face of faces) {
      for (const { customerId } of await search(tenant, face)) if (!own.has(customerId)) foreign += 1;
    }
  }
  return foreign;
}
