import type { Fault } from './fault.ts';
import { cameraCodec } from './faults/camera-codec.ts';
import { cameraHalfOpen } from './faults/camera-half-open.ts';
import { cameraKilled } from './faults/camera-killed.ts';
import { cameraMjpeg } from './faults/camera-mjpeg.ts';
import { cameraResolution } from './faults/camera-resolution.ts';
import { cameraStalled } from './faults/camera-stalled.ts';
import { cameraTruncated } from './faults/camera-truncated.ts';
import { clockBack } from './faults/clock-back.ts';
import { clockForward } from './faults/clock-forward.ts';
import { corruptedPage } from './faults/corrupted-page.ts';
import { daemonCrashed } from './faults/daemon-crashed.ts';
import { diskFull } from './faults/disk-full.ts';
import { diskReadOnly } from './faults/disk-read-only.ts';
import { eventLoopBlocked } from './faults/event-loop-blocked.ts';
import { inferenceError } from './faults/inference-error.ts';
import { modelGone } from './faults/model-gone.ts';
import { outOfDescriptors } from './faults/out-of-descriptors.ts';
import { packetLoss } from './faults/packet-loss.ts';
import { powerCuts } from './faults/power-cuts.ts';
import { stopUnderLoad } from './faults/stop-under-load.ts';
import { threadsKilled } from './faults/threads-killed.ts';
import { twentyDeadCameras } from './faults/twenty-dead-cameras.ts';
import { twoDaemons } from './faults/two-daemons.ts';
import { vaultKilled } from './faults/vault-killed.ts';
import { wrongKey } from './faults/wrong-key.ts';

/** All drills: cameras, disks and keys, the box itself. */
export const FAULTS: readonly Fault[] = [
  cameraKilled,
  cameraStalled,
  cameraHalfOpen,
  cameraResolution,
  cameraCodec,
  cameraMjpeg,
  cameraTruncated,
  packetLoss,
  twentyDeadCameras,
  diskFull,
  diskReadOnly,
  corruptedPage,
  wrongKey,
  powerCuts,
  clockForward,
  clockBack,
  daemonCrashed,
  vaultKilled,
  threadsKilled,
  inferenceError,
  modelGone,
  eventLoopBlocked,
  outOfDescriptors,
  twoDaemons,
  stopUnderLoad,
];
