import { newId } from '../../shared/ids/ids.ts';
import type { Sighting } from '../../shared/messages/events.ts';

/** The sighting of somebody unknown, as a camera would report it. */
export function testSighting(overrides: Partial<Sighting> = {}): Sighting {
  return {
    type: 'sighting',
    phase: 'ended',
    id: newId('sighting'),
    tenant: 'hall',
    camera: 'door',
    track: 1,
    startedAt: '2026-11-01T18:00:00.000Z',
    bestShotAt: '2026-11-01T18:00:01.000Z',
    endedAt: '2026-11-01T18:00:02.000Z',
    media: { startMs: 0, bestShotMs: 1000, endMs: 2000 },
    box: { x: 10, y: 20, width: 80, height: 80 },
    outcome: 'unknown',
    customerId: null,
    score: 0.1,
    votes: 3,
    models: { detector: 'd', landmarks: null, embedder: 'e' },
    ...overrides,
  };
}
