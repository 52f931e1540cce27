import { readFileSync } from 'node:fs';

/**
 * Milliseconds since the machine was started, of CLOCK_BOOTTIME: unlike Node's own monotonic clock it goes on while the machine
 * is suspended.
 */
export function bootTime(): number {
  return Math.round(Number.parseFloat(readFileSync('/proc/uptime', 'latin1')) * 1000);
}
