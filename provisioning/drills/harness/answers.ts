import { once } from 'node:events';
import { connect } from 'node:net';

/** Whether somebody listens at a socket's path, or at a port of this machine. */
export async function answers(at: string | number): Promise<boolean> {
  const socket = typeof at === 'string' ? connect(at) : connect(at, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
