import type { Fault } from './fault.ts';
import { cameraCodec } from './faults/camera-codec.ts';
import { cameraHalfOpen } from './faults/camera-half-open.ts';
import { cameraKilled } from './faults/camera-killed.ts';
import { cameraResolution } from './faults/camera-resolution.ts';
import { cameraStalled } from './faults/camera-stalled.ts';
import { cameraTruncated } from './faults/camera-truncated.ts';
import { packetLoss } from './faults/packet-loss.ts';
import { twentyDeadCameras } from './faults/twenty-dead-cameras.ts';

export const FAULTS: readonly Fault[] = [
  cameraKilled,
  cameraStalled,
  cameraHalfOpen,
  cameraResolution,
  cameraCodec,
  cameraTruncated,
  packetLoss,
  twentyDeadCameras,
];
