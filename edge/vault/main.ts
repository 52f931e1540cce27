import { createLogger } from '../../shared/log/create-logger.ts';
import { systemClock } from '../runtime/clock.ts';
import { VaultService } from './vault-service.ts';

/** Entry of a tenant's vault process. The daemon forks it and speaks to it by the messages of protocol.ts. */
process.umask(0o077);
process.title = 'securegate-vault';

const service = new VaultService(systemClock, createLogger('vault'));

/** The daemon is gone, however it went: nobody may use these keys any more. */
function end(): void {
  service.stop();
  process.exit(0);
}

process.on('disconnect', end);
process.on('message', async (message) => {
  const reply = await service.handle(message);
  if (reply) process.send?.(reply, undefined, {}, (error) => error && end());
});

// A terminal and a service manager signal the daemon's whole group. The daemon finishes its work first and then says `close`.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const) process.on(signal, () => undefined);
