import { expect, test, vi } from 'vitest';
import { Regularly } from '../../../../shared/runtime/regularly.ts';

test('it is done at once and again, never twice at a time and none piles up, and a stop waits for what has begun', async () => {
  vi.useFakeTimers();
  try {
    const gates: (() => void)[] = [];
    const regularly = new Regularly(1000, () => new Promise((resolve) => void gates.push(resolve)));
    regularly.start();
    await vi.advanceTimersByTimeAsync(2500);
    expect(gates).toHaveLength(1);
    gates[0]?.();
    await vi.advanceTimersByTimeAsync(999);
    expect(gates).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(gates).toHaveLength(2);
    let stopped = false;
    const stopping = regularly.stop().then(() => {
      stopped = true;
    });
    await vi.advanceTimersByTimeAsync(5000);
    expect(stopped).toBe(false);
    gates[1]?.();
    await stopping;
    await vi.advanceTimersByTimeAsync(5000);
    expect(gates).toHaveLength(2);
  } finally {
    vi.useRealTimers();
  }
});
