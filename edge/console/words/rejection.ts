import type { RejectionReason } from '../../pipeline/frame.ts';

const REJECTIONS: Readonly<Record<RejectionReason, string>> = {
  too_small: 'The face is too small. Come closer, or use a picture with more pixels.',
  blurred: 'The face is blurred. Hold still, clean the lens, or use more light.',
  yaw: 'The head is turned too far to one side. Look into the camera.',
  pitch: 'The head looks too far up or down. Hold the camera at eye level.',
  roll: 'The head leans too far to the side. Hold it upright.',
  cut_off: 'The face is cut off at the edge. Leave some room around the head.',
  no_landmarks: 'Eyes, nose and mouth cannot all be seen. Take off mask or sunglasses and move the hair aside.',
};

const SHORT: Readonly<Record<RejectionReason, string>> = {
  too_small: 'Too small',
  blurred: 'Blurred',
  yaw: 'Turned aside',
  pitch: 'Looking up or down',
  roll: 'Leaning',
  cut_off: 'Cut off',
  no_landmarks: 'Features hidden',
};

const isReason = (reason: string): reason is RejectionReason => Object.hasOwn(REJECTIONS, reason);

/** What is wrong with a face and what to change. */
export const rejectionAdvice = (reason: string): string => (isReason(reason) ? REJECTIONS[reason] : reason);

/** The same in two words, for tables. */
export const rejectionName = (reason: string): string => (isReason(reason) ? SHORT[reason] : reason);
