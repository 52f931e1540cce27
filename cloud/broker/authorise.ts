import { parseTopic } from '../../shared/fleet/topics.ts';
import { MOST_BYTES } from './broker-limits.ts';

/** Why a client was not let do something. The words stand in metrics and dead letters. */
export type Denial = 'foreign topic' | 'retained' | 'too large' | 'will';

/** What a device may say: on its own channels, messages of their size that nobody keeps. @returns undefined when it may */
export function denialOfPublish(
  device: string,
  message: { readonly topic: string; readonly bytes: number; readonly retain: boolean },
): Denial | undefined {
  const topic = parseTopic(message.topic);
  if (topic?.device !== device || topic.direction !== 'up') return 'foreign topic';
  if (message.retain) return 'retained';
  return message.bytes > MOST_BYTES[topic.channel] ? 'too large' : undefined;
}

/** A device hears its own channels alone, each by its whole name: a wildcard is no topic of a box. */
export function mayHear(device: string, topic: string): boolean {
  const parsed = parseTopic(topic);
  return parsed?.device === device && parsed.direction === 'down';
}
