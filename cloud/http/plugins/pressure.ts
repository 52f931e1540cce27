import { getHeapStatistics } from 'node:v8';
import underPressure from '@fastify/under-pressure';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { HttpApi } from '../../../shared/http/http-api.ts';

const RETRY_S = 5;
/** Of what Node allows: beyond it, collecting garbage takes most of the time. */
const MOST_OF_HEAP = 0.9;
const LOOK_EVERY_MS = 1000;

/** When requests are turned away. */
export interface Pressure {
  readonly eventLoopDelayMs: number;
  readonly heapMiB?: number | undefined;
}

/** Turns requests away while the process cannot keep up, so that those it has are answered. Whether it lives and how it fares is told all the same. */
export async function addPressure(api: HttpApi, { eventLoopDelayMs, heapMiB }: Pressure): Promise<void> {
  await api.register(underPressure, {
    maxEventLoopDelay: eventLoopDelayMs,
    sampleInterval: LOOK_EVERY_MS,
    maxHeapUsedBytes: heapMiB === undefined ? getHeapStatistics().heap_size_limit * MOST_OF_HEAP : heapMiB * 2 ** 20,
    pressureHandler: async ({ route }, _reply, kind, measured) => {
      if (route.config.operation === 'open') return;
      if (kind === underPressure.TYPE_EVENT_LOOP_DELAY && !isLate(Number(measured), eventLoopDelayMs)) return;
      throw new SecureGateError('overloaded', `The control plane cannot keep up (${kind})`, { details: { retryAfterS: RETRY_S } });
    },
  });
}

/**
 * Whether requests wait longer than they may.
 * @param measuredMs infinite after a second in which the process had not two turns: it was late by about that long, which says nothing of a longer limit
 */
export function isLate(measuredMs: number, limitMs: number): boolean {
  return measuredMs === Number.POSITIVE_INFINITY ? limitMs <= LOOK_EVERY_MS : measuredMs > limitMs;
}
