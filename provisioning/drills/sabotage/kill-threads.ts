import { BroadcastChannel, isMainThread } from 'node:worker_threads';

/** Loaded into a daemon before its own code: on SIGUSR2 every inference thread dies of an error that nobody catches. */
const channel = new BroadcastChannel('drill');
channel.unref();

if (isMainThread) process.on('SIGUSR2', () => channel.postMessage('die'));
else {
  channel.onmessage = () => {
    throw new Error('drill: this thread was told to die');
  };
}
