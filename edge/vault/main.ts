import { createLogger } from '../../shared/log/create-logger.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Received } from './channel/message-reader.ts';
import { openChannel } from './channel/open-channel.ts';
import { sendMessage } from './channel/send-message.ts';
import { LEASE_ENDED_EXIT } from './protocol.ts';
import { VaultService } from './vault-service.ts';

/** Entry of a tenant's vault process. The daemon starts it and speaks to it by the messages of protocol.ts. */
process.umask(0o077);
process.title = 'securegate-vault';

const service = new VaultService(systemClock, createLogger('vault'), () => end(LEASE_ENDED_EXIT));

/** The daemon is gone, however it went, or the lease is over: nobody may use these keys any more. */
function end(code: number): void {
  void service.stop().finally(() => process.exit(code));
}

async function answer({ message, wipe }: Received): Promise<void> {
  const reply = await service.handle(message);
  wipe();
  if (reply) sendMessage(channel, reply, (error) => error && end(0));
}

const channel = openChannel(
  (received) => void answer(received),
  () => end(0),
);

// A terminal and a service manager signal the daemon's whole group. The daemon finishes its work first and then says `close`.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const) process.on(signal, () => undefined);
