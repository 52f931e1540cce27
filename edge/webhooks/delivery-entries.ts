import type { Sighting } from '../../shared/messages/events.ts';
import type { DeadLetter } from '../api/ports.ts';
import type { Message } from './courier.ts';
import type { DeliveryEntry } from './delivery-log.ts';

export interface BuriedMessage extends DeadLetter {
  /** Says where to look for the sighting. */
  readonly endedAt: string;
}

/** One that was given up begins anew; one that waited goes on where it was. */
export function messagesOf(
  references: readonly { id: string; sightingId: string; tried?: DeliveryEntry['tried'] }[],
  sightings: ReadonlyMap<string, Sighting>,
): Message[] {
  return references.flatMap(({ id, sightingId, tried }) => {
    const sighting = sightings.get(sightingId);
    return sighting === undefined ? [] : [{ id, sighting, tried: tried ? { ...tried, nextAt: Date.parse(tried.nextAt) } : undefined }];
  });
}

export function entryOf({ id, sighting, tried }: Message): DeliveryEntry {
  return {
    id,
    sightingId: sighting.id,
    phase: sighting.phase,
    endedAt: sighting.endedAt,
    tried: tried ? { ...tried, nextAt: new Date(tried.nextAt).toISOString() } : null,
    givenUp: null,
  };
}

export function buried({ givenUpAt, attempts, reason, ...reference }: BuriedMessage): DeliveryEntry {
  return { ...reference, tried: null, givenUp: { at: givenUpAt, attempts, reason } };
}

export function letterOf({ givenUp, tried: _before, ...reference }: DeliveryEntry): BuriedMessage[] {
  return givenUp === null ? [] : [{ ...reference, givenUpAt: givenUp.at, attempts: givenUp.attempts, reason: givenUp.reason }];
}
