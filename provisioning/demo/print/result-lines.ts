import type { CloudResult, DemoResult } from '../score/make-result.ts';

/** A result for people. */
export function resultLines(result: DemoResult): string[] {
  const { latencyMs, eventLoopMs } = result;
  return [
    `recognised      ${result.recognised} of ${result.expected} appearances of guests`,
    `mistaken        ${result.wrong}`,
    `left unknown    ${result.unknown} appearances of strangers`,
    `across tenants  ${result.crossTenant}`,
    `plaintext       ${result.plaintextOnDisk} files, while running and after kill -9`,
    `speed           ${result.frames} frames of ${result.cameras} cameras at ${result.fps} a second, ${result.skipped} skipped`,
    `latency         p50 ${latencyMs.p50} ms, p95 ${latencyMs.p95} ms; event loop p99 ${eventLoopMs.p99} ms`,
    ...(result.cloud === undefined ? [] : cloudLines(result.cloud)),
  ];
}

function cloudLines({ hsm, enrolledMs, leasedMs, commandsDone, namesInCloud }: CloudResult): string[] {
  return [
    `cloud           keys in ${hsm}; box enrolled in ${enrolledMs} ms, both tenants leased over MQTT ${leasedMs} ms after its start`,
    `                ${commandsDone} signed commands done; ${namesInCloud} files know of a guest`,
  ];
}
