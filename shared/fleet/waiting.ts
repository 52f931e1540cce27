import { z } from 'zod';
import { DOWN_CHANNELS, UP_CHANNELS } from './topics.ts';

/** Where a box that MQTT does not reach asks what waits for it, and, with `/{channel}`, brings what it has to say. */
export const MESSAGES_PATH = '/v1/link/messages';

export const upChannelSchema = z.enum(UP_CHANNELS);

/** What waits for a box. The answer's ETag names the last of it: shown again, it says that all up to it has arrived. */
export const waitingSchema = z.strictObject({
  messages: z.array(z.strictObject({ channel: z.enum(DOWN_CHANNELS), payload: z.base64() })),
});
export type Waiting = z.output<typeof waitingSchema>;

/** Whose messages they are: when it is another one than before, some may be lost. The rest of the tag says how far they were read. */
export function mailboxOf(tag: string): string {
  return tag.slice(0, tag.indexOf('.'));
}
