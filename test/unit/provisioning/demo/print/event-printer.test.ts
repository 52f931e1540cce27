import { describe, expect, test } from 'vitest';
import { EventPrinter } from '../../../../../provisioning/demo/print/event-printer.ts';
import { paletteFor } from '../../../../../provisioning/demo/print/palette.ts';
import type { Sighting } from '../../../../../shared/messages/events.ts';

const at = '2026-01-02T10:20:30.000Z';
const sighting: Sighting = {
  type: 'sighting',
  phase: 'begun',
  id: 'sig_1',
  tenant: 'harbour-hall',
  camera: 'harbour-bar',
  track: 1,
  startedAt: at,
  bestShotAt: at,
  endedAt: '2026-01-02T10:20:33.500Z',
  media: { startMs: 0, bestShotMs: 0, endMs: 0 },
  box: { x: 0, y: 0, width: 1, height: 1 },
  outcome: 'person',
  customerId: 'cus_1',
  score: 0.876,
  votes: 3,
  models: { detector: 'd', landmarks: 'l', embedder: 'e' },
};
const printer = new EventPrinter(new Map([['cus_1', 'Ottilie Brackenwurst']]), paletteFor({}, {}));

describe('EventPrinter', () => {
  test('names a guest once, at once', () => {
    expect(printer.lineOf(sighting)).toMatch(/^\d\d:\d\d:30 {2}harbour-bar {3}Ottilie Brackenwurst \(similarity 0\.88\)$/);
    expect(printer.lineOf({ ...sighting, phase: 'ended' })).toBeUndefined();
  });

  test('tells strangers by nothing but their stay', () => {
    const unknown = { ...sighting, phase: 'ended', outcome: 'unknown', customerId: null } as const;
    expect(printer.lineOf(unknown)).toMatch(/^\d\d:\d\d:33 {2}harbour-bar {3}somebody unknown \(3\.5 s\)$/);
    expect(printer.lineOf({ ...unknown, outcome: 'undecided' })).toMatch(/somebody, not clearly seen/);
  });

  test('tells why a camera failed, and nothing of a mere try', () => {
    const event = { type: 'camera', at, tenant: 't', camera: 'harbour-bar', state: 'failed', reason: 'camera_silent' } as const;
    expect(printer.lineOf(event)).toMatch(/harbour-bar {3}failed: camera_silent$/);
    expect(printer.lineOf({ ...event, state: 'connecting', reason: null })).toBeUndefined();
  });
});

describe('paletteFor', () => {
  test('colours only on a terminal, and not against NO_COLOR', () => {
    expect(paletteFor({ isTTY: true }, {}).good('x')).toBe('\x1b[32mx\x1b[39m');
    expect(paletteFor({ isTTY: true }, { NO_COLOR: '1' }).good('x')).toBe('x');
    expect(paletteFor({}, {}).good('x')).toBe('x');
  });
});
