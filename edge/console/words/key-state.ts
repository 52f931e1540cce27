import type { ApiKey } from '../api/types.ts';
import type { Tone } from './camera-state.ts';
import { formatDay } from './time.ts';

/** Whether a key still opens anything, in words. */
export function keyState({ revokedAt, expiresAt }: Pick<ApiKey, 'revokedAt' | 'expiresAt'>, now: number): { tone: Tone; word: string } {
  if (revokedAt !== null) return { tone: 'off', word: `Revoked ${formatDay(revokedAt)}` };
  if (expiresAt === null) return { tone: 'good', word: 'Valid until revoked' };
  const past = Date.parse(expiresAt) <= now;
  return past ? { tone: 'off', word: `Expired ${formatDay(expiresAt)}` } : { tone: 'good', word: `Valid until ${formatDay(expiresAt)}` };
}
