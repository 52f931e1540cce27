import { existsSync } from 'node:fs';
import net from 'node:net';
import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into a daemon before its own code: while there is the file that the module's address names, nothing that it calls can be reached,
 * and what it had open is cut. Whoever calls the box reaches it.
 */
const LOOK_EVERY_MS = 50;

if (isMainThread) {
  const file = new URL(import.meta.url).searchParams.get('file') ?? '';
  const open = new Set<net.Socket>();
  const { connect } = net.Socket.prototype as unknown as { connect: (...given: unknown[]) => net.Socket };
  net.Socket.prototype.connect = function (this: net.Socket, ...given: unknown[]) {
    open.add(this);
    this.once('close', () => open.delete(this));
    if (!existsSync(file)) return connect.apply(this, given);
    process.nextTick(() => this.destroy(unreachable()));
    return this;
  } as typeof net.Socket.prototype.connect;
  setInterval(() => {
    if (existsSync(file)) for (const socket of open) socket.destroy(unreachable());
  }, LOOK_EVERY_MS).unref();
}

function unreachable(): Error {
  return Object.assign(new Error('The network is cut'), { code: 'ENETUNREACH' });
}
