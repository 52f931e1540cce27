import { decodeJwt } from 'jose';
import { ackClaimsSchema, type Removed } from '../../shared/fleet/ack.ts';

/** What a box says that it has removed, by its word that it is done. */
export function removedIn(token: string): Removed | null {
  return ackClaimsSchema.parse(decodeJwt(token)).removed ?? null;
}
