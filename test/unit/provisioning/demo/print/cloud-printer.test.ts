import { expect, test } from 'vitest';
import { CloudPrinter } from '../../../../../provisioning/demo/print/cloud-printer.ts';
import { paletteFor } from '../../../../../provisioning/demo/print/palette.ts';
import type { Stats } from '../../../../../shared/messages/events.ts';

type Vault = Stats['vaults'][number];

function statsOf(states: Record<string, Vault['state']>, problem: string | null = null): Stats {
  const vaults = Object.entries(states).map(([tenant, state]) => ({ tenant, state, faces: 0, restarts: 0, epoch: 1, lease: null }));
  const link = { connected: problem === null, forMs: 0, problem };
  return { at: '2026-01-02T10:20:30.000Z', vaults, link } as unknown as Stats;
}

test('tells what has changed, once', () => {
  const printer = new CloudPrinter(paletteFor({}, {}));
  expect(printer.linesOf(statsOf({ hall: 'ready', club: 'ready' }))).toEqual([]);
  expect(printer.linesOf(statsOf({ hall: 'closed', club: 'ready' }))).toEqual([expect.stringMatching(/^\d\d:\d\d:30 {2}hall is dark$/)]);
  expect(printer.linesOf(statsOf({ hall: 'failed', club: 'ready' }))).toEqual([]);
  expect(printer.linesOf(statsOf({ hall: 'ready', club: 'ready' }, 'not authorized'))).toEqual([
    expect.stringContaining('hall is open'),
    expect.stringContaining('the box is cut off from its cloud: not authorized'),
  ]);
  expect(printer.linesOf(statsOf({ hall: 'ready', club: 'ready' }))).toEqual([expect.stringContaining('the box is connected')]);
});
