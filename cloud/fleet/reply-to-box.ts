import type { Reply } from '../../shared/fleet/reply.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { Courier } from './courier.ts';

export interface ReplyOptions {
  readonly courier?: Pick<Courier, 'send'> | undefined;
  readonly logger: Logger;
}

/** An answer that is lost is sent again: the box repeats what was not answered. */
export async function replyToBox({ courier, logger }: ReplyOptions, device: string, reply: Reply): Promise<void> {
  try {
    await courier?.send(device, 'replies', Buffer.from(JSON.stringify(reply)));
  } catch (error) {
    logger.warn({ err: error, device }, 'a box was not answered');
  }
}
