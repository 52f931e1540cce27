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

function cloudLines(cloud: CloudResult): string[] {
  const { hsm, enrolledMs, leasedMs, commandsDone, sightingsOnBox, sightingsInCloud, miscounted, namesInCloud } = cloud;
  return [
    `cloud           keys in ${hsm === 'SoftHSM2' ? hsm : 'a sealed file, which is no HSM'}; ${commandsDone} signed commands done`,
    `                box enrolled in ${enrolledMs} ms, both tenants leased over MQTT ${leasedMs} ms after its start`,
    `counted         ${sightingsInCloud} of ${sightingsOnBox} sightings, ${miscounted} cameras miscounted`,
    `names           ${namesInCloud} files of the cloud, while running and afterwards`,
  ];
}
