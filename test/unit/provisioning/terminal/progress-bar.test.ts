import { expect, test } from 'vitest';
import { ProgressBar } from '../../../../provisioning/terminal/progress-bar.ts';

function show(isTTY: boolean): { bar: ProgressBar; written: string[] } {
  const written: string[] = [];
  return { bar: new ProgressBar({ isTTY, write: (text) => written.push(text) }), written };
}

test('a log gets a line a quarter', () => {
  const { bar, written } = show(false);
  for (let bytes = 0; bytes <= 4_000_000; bytes += 100_000) bar.update('models', bytes, 4_000_000);
  bar.end();
  expect(written).toEqual([
    'models: 0 % (0.0 of 4.0 MB)\n',
    'models: 25 % (1.0 of 4.0 MB)\n',
    'models: 50 % (2.0 of 4.0 MB)\n',
    'models: 75 % (3.0 of 4.0 MB)\n',
    'models: 100 % (4.0 of 4.0 MB)\n',
  ]);
});

test('a terminal gets one line that is drawn over again, and a line of its own for the next file', () => {
  const { bar, written } = show(true);
  bar.update('a', 1, 2);
  bar.update('a', 2, 2);
  bar.update('b', 1, 2);
  bar.end();
  bar.end();
  expect(written.map((text) => text.startsWith('\r\x1b[K'))).toEqual([true, true, false, true, false]);
  expect(written[0]).toContain(`[${'='.repeat(14)}${' '.repeat(14)}] 50 %`);
  expect(written.filter((text) => text === '\n')).toHaveLength(2);
});
