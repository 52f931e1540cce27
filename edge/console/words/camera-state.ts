import type { Camera } from '../api/types.ts';
import { errorWords } from './error-words.ts';

/** `wait` passes by itself, `warn` does not. */
export type Tone = 'good' | 'wait' | 'warn' | 'bad' | 'off';

/** State of a camera in words, with the reason where there is one. */
export function cameraState(camera: Pick<Camera, 'state' | 'reason'>): {
  tone: Tone;
  word: string;
  reason: string | null;
  next: string | null;
} {
  const why = camera.reason === null ? null : errorWords(camera.reason);
  const reason = why?.title ?? null;
  const next = why?.next ?? null;
  switch (camera.state) {
    case 'live':
      return { tone: 'good', word: 'Live', reason: null, next: null };
    case 'connecting':
      return { tone: 'wait', word: 'Connecting', reason, next };
    case 'failed':
      return { tone: 'bad', word: 'Away', reason, next };
    case 'stopped':
      return { tone: 'off', word: 'Stopped', reason, next };
    case 'ended':
      return { tone: 'off', word: 'Ended', reason: reason ?? 'The recording is over', next };
  }
}
